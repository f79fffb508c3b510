/** What the network itself says was paid, read over Horizon as any outsider could, and held against the rows. */
import { encodeMuxedAccountToAddress, xdr } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

interface TransactionRecord {
  readonly paging_token: string
  readonly hash: string
  readonly successful: boolean
  readonly ledger: number
  readonly envelope_xdr: string
  readonly inner_transaction?: { readonly hash: string }
}

interface LedgerRecord {
  readonly paging_token: string
  readonly sequence: number
  readonly closed_at: string
  readonly operation_count: number
}

interface Page<A> {
  readonly _embedded: { readonly records: ReadonlyArray<A> }
}

const PER_PAGE = 200
const ANSWER_MS_MAX = 60_000

const readPage = <A>(url: string): Effect.Effect<ReadonlyArray<A>> =>
  Effect.promise(async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    return ((await response.json()) as Page<A>)._embedded.records
  })

/** SEP-35: the paging token of a ledger is its number in the upper 32 bits. */
const tokenOf = (ledger: number): string => (BigInt(ledger) << 32n).toString()

/** Ledgers after the given one, oldest first, at most a page. */
export const ledgersAfter = (horizonUrl: string, ledger: number) =>
  readPage<LedgerRecord>(`${horizonUrl}/ledgers?order=asc&limit=${PER_PAGE}&cursor=${tokenOf(ledger)}`)

/** The newest ledger's number. */
export const latestLedger = (horizonUrl: string): Effect.Effect<number> =>
  Effect.map(
    readPage<LedgerRecord>(`${horizonUrl}/ledgers?order=desc&limit=1`),
    (records) => records[0]?.sequence ?? 0,
  )

/** Mean time between two ledgers, in ms, by the seconds in which they closed. */
export const meanCloseMs = (horizonUrl: string, from: number, to: number): Effect.Effect<number> =>
  Effect.gen(function* () {
    if (to <= from) return Number.NaN
    const [first] = yield* ledgersAfter(horizonUrl, from - 1)
    const [last] = yield* ledgersAfter(horizonUrl, to - 1)
    if (first === undefined || last === undefined) return Number.NaN
    return (Date.parse(last.closed_at) - Date.parse(first.closed_at)) / (to - from)
  })

export interface LedgerPayment {
  readonly ledger: number
  /** "<inner transaction's hash>:<operation index> <recipient> <stroops>". */
  readonly proof: string
}

export interface PaidOnLedger {
  readonly payments: ReadonlyArray<LedgerPayment>
  /** Transactions that paid, those that were included and failed, and the fee bumps among both. */
  readonly transactions: number
  readonly failedTransactions: number
  readonly feeBumps: number
  /** The inner hash of each fee bump's own. */
  readonly innerOf: ReadonlyMap<string, string>
}

const innerTransaction = (envelope: xdr.TransactionEnvelope): xdr.Transaction | undefined => {
  if (envelope.type === "envelopeTypeTx") return envelope.v1.tx
  return envelope.type === "envelopeTypeTxFeeBump" ? envelope.feeBump.tx.innerTx.value.tx : undefined
}

const paymentsIn = (record: TransactionRecord, from: string): ReadonlyArray<LedgerPayment> => {
  const inner = innerTransaction(xdr.TransactionEnvelope.fromXDR(record.envelope_xdr, "base64"))
  if (inner === undefined || !record.successful) return []
  return inner.operations.flatMap(({ body, sourceAccount }, index) => {
    if (body.type !== "payment") return []
    if (encodeMuxedAccountToAddress(sourceAccount ?? inner.sourceAccount) !== from) return []
    const { amount, destination } = body.paymentOp
    const hash = record.inner_transaction?.hash ?? record.hash
    const proof = `${hash}:${index} ${encodeMuxedAccountToAddress(destination)} ${amount}`
    return [{ ledger: record.ledger, proof }]
  })
}

/** Every payment of the account in ledgers after the given one, oldest first. */
export const paymentsAfter = (
  horizonUrl: string,
  from: string,
  ledger: number,
): Effect.Effect<PaidOnLedger> =>
  Effect.gen(function* () {
    const payments: Array<LedgerPayment> = []
    const innerOf = new Map<string, string>()
    let transactions = 0
    let failedTransactions = 0
    let cursor = tokenOf(ledger + 1)
    while (true) {
      const query = `order=asc&limit=${PER_PAGE}&include_failed=true&cursor=${cursor}`
      const records = yield* readPage<TransactionRecord>(
        `${horizonUrl}/accounts/${from}/transactions?${query}`,
      )
      for (const record of records) {
        const paid = paymentsIn(record, from)
        payments.push(...paid)
        if (paid.length > 0) transactions++
        if (!record.successful) failedTransactions++
        if (record.inner_transaction !== undefined) innerOf.set(record.hash, record.inner_transaction.hash)
      }
      const last = records.at(-1)
      if (last === undefined) break
      cursor = last.paging_token
    }
    return { payments, transactions, failedTransactions, feeBumps: innerOf.size, innerOf }
  })

export interface Agreement {
  readonly confirmedRows: number
  readonly ledgerPayments: number
  /** Confirmed rows that the ledger does not show, and payments that no confirmed row claims. */
  readonly rowsWithoutPayment: number
  readonly paymentsWithoutRow: number
  readonly oneToOne: boolean
}

interface ConfirmedRow {
  readonly tx_hash: string
  readonly operation_index: number
  readonly wallet_address: string
  readonly amount_stroops: bigint
}

/** Holds the database's confirmed rows against the payments, one to one: transaction, operation, recipient, amount. */
export const compare = Effect.fn("bench.compare")(function* (paid: PaidOnLedger) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<ConfirmedRow>`
    SELECT tx_hash, operation_index, wallet_address, amount_stroops FROM reward_issuances WHERE status = 'confirmed'`
  const hashOf = (row: ConfirmedRow) => paid.innerOf.get(row.tx_hash) ?? row.tx_hash
  const claimed = new Set(
    rows.map((row) => `${hashOf(row)}:${row.operation_index} ${row.wallet_address} ${row.amount_stroops}`),
  )
  const shown = new Set(paid.payments.map(({ proof }) => proof))
  const rowsWithoutPayment = [...claimed].filter((proof) => !shown.has(proof)).length
  const paymentsWithoutRow = [...shown].filter((proof) => !claimed.has(proof)).length
  return {
    confirmedRows: rows.length,
    ledgerPayments: paid.payments.length,
    rowsWithoutPayment,
    paymentsWithoutRow,
    oneToOne:
      rowsWithoutPayment + paymentsWithoutRow === 0 &&
      claimed.size === rows.length &&
      shown.size === paid.payments.length,
  } satisfies Agreement
})
