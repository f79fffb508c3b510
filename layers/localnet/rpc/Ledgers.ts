import type { ClosedLedger, Network } from "../Network.ts"
import { headerHistoryEntry, ledgerCloseMetaXdr } from "./LedgerCloseMeta.ts"
import { ledgerAfterCursor, ledgerRange, readPage } from "./LedgerRange.ts"
import { type RpcParams, requireBase64 } from "./RpcParams.ts"

const ledgerInfo = (ledger: ClosedLedger) => ({
  hash: ledger.hash,
  sequence: ledger.sequence,
  ledgerCloseTime: String(ledger.closeTime),
  headerXdr: headerHistoryEntry(ledger).toXdr("base64"),
  metadataXdr: ledgerCloseMetaXdr(ledger),
})

/**
 * Closed ledgers from `startLedger`, or after `pagination.cursor` (the sequence of the last one returned).
 * @throws RpcFault -32600 for a page out of range, -32602 for a cursor out of range
 */
export const getLedgers = (network: Network, params: RpcParams) => {
  requireBase64(params)
  const range = ledgerRange(network)
  const page = readPage(params, range)
  const start = page.cursor === "" ? page.startLedger : ledgerAfterCursor(page.cursor, range)
  const end = Math.min(start + page.limit - 1, range.latestLedger)
  const ledgers: Array<ReturnType<typeof ledgerInfo>> = []
  for (let sequence = start; sequence <= end; sequence++) {
    const ledger = network.ledger(sequence)
    if (ledger !== undefined) ledgers.push(ledgerInfo(ledger))
  }
  const cursor = ledgers.at(-1)?.sequence ?? start - 1
  return {
    ledgers,
    latestLedger: range.latestLedger,
    latestLedgerCloseTime: range.latestCloseTime,
    oldestLedger: range.oldestLedger,
    oldestLedgerCloseTime: range.oldestCloseTime,
    cursor: String(cursor),
  }
}
