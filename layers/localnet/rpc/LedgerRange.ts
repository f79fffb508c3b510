import type { Network } from "../Network.ts"
import { invalidParams, invalidRequest } from "./RpcFault.ts"
import { objectParam, type RpcParams, stringParam, uint32Param } from "./RpcParams.ts"

/** The ledgers that can still be read, with the close times of both ends in Unix seconds. */
export interface LedgerRange {
  readonly oldestLedger: number
  readonly oldestCloseTime: number
  readonly latestLedger: number
  readonly latestCloseTime: number
}

export const ledgerRange = (network: Network): LedgerRange => {
  const latest = network.latest()
  const oldest = network.ledger(network.oldestLedger()) ?? latest
  return {
    oldestLedger: oldest.sequence,
    oldestCloseTime: oldest.closeTime,
    latestLedger: latest.sequence,
    latestCloseTime: latest.closeTime,
  }
}

/** The page that getTransactions and getLedgers were asked for. */
export interface RpcPage {
  readonly startLedger: number
  readonly cursor: string
  readonly limit: number
}

const PAGE_LIMIT_MAX = 200
const PAGE_LIMIT_DEFAULT = 50

const isWithin = (sequence: number, range: LedgerRange): boolean =>
  sequence >= range.oldestLedger && sequence <= range.latestLedger

/**
 * `startLedger` or `pagination.cursor`, never both, and `pagination.limit` from 1 to 200 (0 or absent: 50).
 * Codes and messages are those of stellar-rpc's `protocol.ValidatePagination`.
 * @throws RpcFault -32600
 */
export const readPage = (params: RpcParams, range: LedgerRange): RpcPage => {
  const startLedger = uint32Param(params, "startLedger")
  const pagination = objectParam(params, "pagination") ?? {}
  const cursor = stringParam(pagination, "cursor")
  const limit = uint32Param(pagination, "limit")
  if (cursor !== "" && startLedger !== 0) {
    throw invalidRequest(`startLedger (${startLedger}) and cursor (${cursor}) cannot both be set`)
  }
  if (cursor === "" && !isWithin(startLedger, range)) {
    throw invalidRequest(
      `start ledger (${startLedger}) must be between the oldest ledger: ${range.oldestLedger} ` +
        `and the latest ledger: ${range.latestLedger} for this rpc instance`,
    )
  }
  if (limit > PAGE_LIMIT_MAX) throw invalidRequest(`limit must not exceed ${PAGE_LIMIT_MAX}`)
  return { startLedger, cursor, limit: limit === 0 ? PAGE_LIMIT_DEFAULT : limit }
}

/**
 * The ledger after a getLedgers cursor (the sequence of the last ledger returned, in decimal).
 * @throws RpcFault -32602 where it is no number or the next ledger is outside the readable range
 */
export const ledgerAfterCursor = (cursor: string, range: LedgerRange): number => {
  if (!/^\d{1,10}$/.test(cursor)) throw invalidParams(`parsing cursor "${cursor}": invalid syntax`)
  const start = Number(cursor) + 1
  if (!isWithin(start, range)) {
    throw invalidParams(
      `cursor ('${cursor}') must be between the oldest ledger: ${range.oldestLedger} ` +
        `and the latest ledger: ${range.latestLedger} for this rpc instance`,
    )
  }
  return start
}
