import { xdr } from "@stellar/stellar-sdk"
import { parseToid, type ToidParts, toid } from "../horizon/Toid.ts"
import type { AppliedTransaction, Network } from "../Network.ts"
import { ledgerRange, readPage } from "./LedgerRange.ts"
import { invalidParams } from "./RpcFault.ts"
import { type RpcParams, requireBase64, stringParam } from "./RpcParams.ts"

/** CAP-67 events out of the transaction's meta: those of the transaction, and a list for each operation. */
const eventsOf = (transaction: AppliedTransaction) => {
  const meta = xdr.TransactionMeta.fromXdr(transaction.resultMetaXdr, "base64")
  if (meta.type !== "v4") return {}
  const transactionEventsXdr = meta.v4.events.map((event) => event.toXdr("base64"))
  const contractEventsXdr = meta.v4.operations.map((operation) =>
    operation.events.map((event) => event.toXdr("base64")),
  )
  return {
    ...(transactionEventsXdr.length > 0 ? { transactionEventsXdr } : {}),
    ...(contractEventsXdr.length > 0 ? { contractEventsXdr } : {}),
  }
}

const details = (transaction: AppliedTransaction, txHash: string) => ({
  status: transaction.successful ? "SUCCESS" : "FAILED",
  txHash,
  applicationOrder: transaction.applicationOrder,
  feeBump: transaction.envelope.type === "envelopeTypeTxFeeBump",
  envelopeXdr: transaction.envelopeXdr,
  resultXdr: transaction.resultXdr,
  resultMetaXdr: transaction.resultMetaXdr,
  events: eventsOf(transaction),
  ledger: transaction.ledger,
})

const HASH_HEX_LENGTH = 64

const readHash = (params: RpcParams): string => {
  const hash = stringParam(params, "hash")
  if (hash.length !== HASH_HEX_LENGTH) throw invalidParams(`unexpected hash length (${hash.length})`)
  const bad = /[^\da-fA-F]/.exec(hash)
  if (bad !== null) throw invalidParams(`incorrect hash: encoding/hex: invalid byte: '${bad[0]}'`)
  return hash
}

/**
 * A transaction by its hash (a fee bump also by its inner hash), within retention. Here the times are
 * decimal strings, in getTransactions numbers: stellar-rpc keeps that difference for compatibility.
 * @throws RpcFault -32602 for anything but 64 hex digits
 */
export const getTransaction = (network: Network, params: RpcParams) => {
  requireBase64(params)
  const hash = readHash(params)
  const transaction = network.transaction(hash.toLowerCase())
  const range = ledgerRange(network)
  const common = {
    latestLedger: range.latestLedger,
    latestLedgerCloseTime: String(range.latestCloseTime),
    oldestLedger: range.oldestLedger,
    oldestLedgerCloseTime: String(range.oldestCloseTime),
  }
  if (transaction === undefined || transaction.ledger < range.oldestLedger) {
    // The zero values are the server's own: its answer is a Go struct without omitted fields.
    const absent = { applicationOrder: 0, feeBump: false, events: {}, ledger: 0, createdAt: "0" }
    return { ...common, status: "NOT_FOUND", txHash: hash, ...absent }
  }
  return { ...common, ...details(transaction, hash), createdAt: String(transaction.closeTime) }
}

const CURSOR_MAX = 2n ** 63n - 1n

const readCursor = (cursor: string): bigint => {
  if (!/^\d{1,19}$/.test(cursor) || BigInt(cursor) > CURSOR_MAX) {
    throw invalidParams(`parsing cursor "${cursor}": invalid syntax`)
  }
  return BigInt(cursor)
}

/** methods.LedgerScanLimit of stellar-rpc: ledgers that one call looks through at most. */
const LEDGER_SCAN_LIMIT = 10_000

/** Looks from `start` on until the page is full, the scan limit is reached, or the ledgers are at their end. */
const walk = (network: Network, start: ToidParts, latestLedger: number, limit: number) => {
  const end = Math.min(latestLedger, start.ledger + LEDGER_SCAN_LIMIT - 1)
  const found: Array<AppliedTransaction> = []
  let lastWalked = 0
  for (let sequence = start.ledger; sequence <= end && found.length < limit; sequence++) {
    const first = sequence === start.ledger ? start.transaction : 0
    found.push(...(network.ledger(sequence)?.transactions.slice(first) ?? []))
    lastWalked = sequence
  }
  return { transactions: found.slice(0, limit), lastWalked }
}

/**
 * Transactions in application order from `startLedger`, or from after `pagination.cursor`.
 *
 * The cursor is as methods/get_transactions.go of stellar-rpc makes it: the TOID of the last transaction
 * returned with operation 1, or of the last ledger walked (transaction 0, operation 1) where only empty ones
 * came behind it, and never below the request's own. A call walks 10,000 ledgers at most, so a page may be
 * empty and yet not the last: the end is where the cursor has come to `latestLedger`. Whoever goes on from the
 * cursor sees every transaction exactly once.
 * @throws RpcFault -32600 for a page out of range, -32602 for a cursor that is no TOID
 */
export const getTransactions = (network: Network, params: RpcParams) => {
  requireBase64(params)
  const range = ledgerRange(network)
  const page = readPage(params, range)
  const after = page.cursor === "" ? toid(page.startLedger) : readCursor(page.cursor)
  const start = parseToid(after)
  if (start.ledger < range.oldestLedger) {
    throw invalidParams(`database does not contain metadata for ledger: ${start.ledger}`)
  }
  const { transactions, lastWalked } = walk(network, start, range.latestLedger, page.limit)
  const last = transactions.at(-1)
  const reached = [
    toid(lastWalked, 0, 1),
    ...(last === undefined ? [] : [toid(last.ledger, last.applicationOrder, 1)]),
  ]
  const cursor = reached.reduce((highest, one) => (one > highest ? one : highest), after)
  return {
    transactions: transactions.map((transaction) => ({
      ...details(transaction, transaction.hash),
      createdAt: transaction.closeTime,
    })),
    latestLedger: range.latestLedger,
    latestLedgerCloseTimestamp: range.latestCloseTime,
    oldestLedger: range.oldestLedger,
    oldestLedgerCloseTimestamp: range.oldestCloseTime,
    cursor: cursor.toString(),
  }
}
