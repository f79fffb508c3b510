/**
 * Some transactions of the ledger against what the database says of them. One statement reads it all, so that a
 * settlement beside it is seen whole or not at all.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { formatAmount } from "../kernel/Amount.ts"
import type { LedgerPayment, LedgerTransaction } from "./LedgerTransaction.ts"
import type { Difference } from "./ReconcileBooks.ts"

/** What a page adds to the account. */
export interface PageAccount {
  readonly differences: ReadonlyArray<Difference>
  /** Payments that are a confirmed row's, one to one. */
  readonly equal: number
  readonly equalStroops: bigint
  /** Payments whose envelope is stored and waits for its verdict. */
  readonly inFlight: number
  /** Payments that recovery wrote down and a person dismissed: their rows are lost. */
  readonly dismissed: number
  /** Payments of transactions that no channel sent: the treasury's own, no rewards. */
  readonly outside: number
  readonly outsideStroops: bigint
}

interface Known {
  readonly kind: "row" | "envelope" | "unmatched"
  readonly hash: string
  readonly place: number | null
  readonly id: string | null
  readonly wallet_address: string | null
  readonly amount_stroops: bigint | null
  readonly ledger: bigint | null
  readonly status: string | null
}

const hashesOf = ({ hash, innerHash }: LedgerTransaction) =>
  innerHash === undefined ? [hash] : [hash, innerHash]

const readKnown = Effect.fnUntraced(function* (hashes: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Known>`
    SELECT 'row' AS kind, tx_hash AS hash, operation_index AS place, id, wallet_address, amount_stroops, ledger, status
    FROM reward_issuances WHERE tx_hash = ANY(${hashes}::text[])
    UNION ALL
    SELECT 'envelope', hash, NULL, NULL, NULL, NULL, ledger, status FROM stellar_envelopes
    WHERE hash = ANY(${hashes}::text[])
    UNION ALL
    SELECT 'unmatched', tx_hash, operation_index, NULL, wallet_address, amount_stroops, ledger,
      coalesce(resolution, 'open')
    FROM unmatched_payments WHERE tx_hash = ANY(${hashes}::text[])`
})

const describe = (walletAddress: string, amountStroops: bigint, ledger: bigint | number) =>
  `${formatAmount(amountStroops)} to ${walletAddress} in ledger ${ledger}`

const ofPayment = (payment: LedgerPayment, ledger: number) =>
  describe(payment.walletAddress, payment.amountStroops, ledger)

const ofRow = (row: Known) => describe(row.wallet_address ?? "", row.amount_stroops ?? 0n, row.ledger ?? 0n)

const isSame = (row: Known, payment: LedgerPayment, ledger: number): boolean =>
  row.wallet_address === payment.walletAddress &&
  row.amount_stroops === payment.amountStroops &&
  row.ledger === BigInt(ledger)

const paymentFate = (
  payment: LedgerPayment,
  transaction: LedgerTransaction,
  known: ReadonlyArray<Known>,
): Difference | "equal" | "in_flight" | "dismissed" => {
  const here = known.filter(
    ({ hash, place }) =>
      hashesOf(transaction).includes(hash) && (place === null || place === payment.operationIndex),
  )
  const subject = `${transaction.hash}:${payment.operationIndex}`
  const expected = ofPayment(payment, transaction.ledger)
  const row = here.find(({ kind }) => kind === "row")
  if (row !== undefined) {
    return isSame(row, payment, transaction.ledger)
      ? "equal"
      : { kind: "row_differs", subject: `${subject} ${row.id}`, expected, found: ofRow(row) }
  }
  const lost = here.find(({ kind }) => kind === "unmatched")
  if (lost?.status === "dismissed") return "dismissed"
  if (lost !== undefined) {
    return { kind: "payment_unmatched", subject, expected, found: "no row: open for nova review" }
  }
  if (here.some(({ kind, status }) => kind === "envelope" && status === "signed")) return "in_flight"
  return { kind: "payment_without_row", subject, expected, found: "no row" }
}

/** Rows that name one of these transactions, but none of its payments. */
const strayRows = (
  transactions: ReadonlyArray<LedgerTransaction>,
  known: ReadonlyArray<Known>,
): ReadonlyArray<Difference> => {
  const places = new Set(
    transactions.flatMap((transaction) =>
      transaction.successful
        ? hashesOf(transaction).flatMap((hash) =>
            transaction.payments.map(({ operationIndex }) => `${hash}:${operationIndex}`),
          )
        : [],
    ),
  )
  return known
    .filter(({ hash, kind, place }) => kind === "row" && !places.has(`${hash}:${place}`))
    .map((row) => ({
      kind: "row_without_payment",
      subject: `${row.hash}:${row.place} ${row.id}`,
      expected: "no payment by that operation",
      found: ofRow(row),
    }))
}

/** Compares the transactions, failed ones too, with the rows that name them. */
export const comparePage = Effect.fn("ReconcilePage.comparePage")(function* (
  transactions: ReadonlyArray<LedgerTransaction>,
  channels: ReadonlySet<string>,
) {
  const known = yield* readKnown(transactions.flatMap(hashesOf))
  const differences: Array<Difference> = [...strayRows(transactions, known)]
  const count = { equal: 0, inFlight: 0, dismissed: 0, outside: 0 }
  let equalStroops = 0n
  let outsideStroops = 0n
  for (const transaction of transactions.filter(({ successful }) => successful)) {
    for (const payment of transaction.payments) {
      const fate = paymentFate(payment, transaction, known)
      if (fate === "equal") {
        count.equal += 1
        equalStroops += payment.amountStroops
      } else if (fate === "in_flight") count.inFlight += 1
      else if (fate === "dismissed") count.dismissed += 1
      else if (fate.kind === "payment_without_row" && !channels.has(transaction.source)) {
        count.outside += 1
        outsideStroops += payment.amountStroops
      } else differences.push(fate)
    }
  }
  return { ...count, equalStroops, outsideStroops, differences } satisfies PageAccount
}, Effect.orDie)

/**
 * Rows of envelopes that have applied in these ledgers by the database's word, though the ledger shows no such
 * transaction there.
 *
 * @param seen every hash of the ledgers after `ledgerAbove` up to `ledgerUpTo`
 */
export const lostEnvelopes = Effect.fn("ReconcilePage.lostEnvelopes")(function* (
  span: { readonly ledgerAbove: number; readonly ledgerUpTo: number },
  seen: ReadonlyArray<string>,
) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Known>`
    SELECT 'row' AS kind, r.tx_hash AS hash, r.operation_index AS place, r.id, r.wallet_address, r.amount_stroops,
      r.ledger, r.status
    FROM stellar_envelopes e JOIN reward_issuances r ON r.tx_hash = e.hash
    WHERE e.status = 'applied' AND e.ledger > ${span.ledgerAbove} AND e.ledger <= ${span.ledgerUpTo}
      AND e.hash <> ALL(${seen}::text[])
    ORDER BY r.ledger, r.tx_hash, r.operation_index`
  return rows.map(
    (row): Difference => ({
      kind: "row_without_payment",
      subject: `${row.hash}:${row.place} ${row.id}`,
      expected: "no such transaction on the ledger",
      found: ofRow(row),
    }),
  )
}, Effect.orDie)

export const hashesIn = (transactions: ReadonlyArray<LedgerTransaction>): ReadonlyArray<string> =>
  transactions.flatMap(hashesOf)
