/**
 * Transactions of the distribution account's own sequence, as the database knows them: channels created and topped
 * up, claimable balances taken back. None of them pays a reward. SQL and nothing else; `UpkeepSteps` decides.
 *
 * Invariants: one at a time (the unique index `upkeep_transactions_one_alive`), stored before its first byte is sent,
 * and ended once, by what the ledger shows. How it would break: a second one beside a living one at the next sequence
 * could do the same thing twice, since it was decided on before the first one's effect was on the ledger.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { recordReclaimed } from "./ClaimableBalanceRows.ts"
import { allPromises, leftForUpkeep, lockXlm, type SpendableXlm, xlmTakenBy } from "./XlmPromises.ts"

export type UpkeepPurpose = "create_channels" | "top_up" | "reclaim"

export interface UpkeepTransaction {
  readonly hash: string
  readonly purpose: UpkeepPurpose
  readonly sequence: bigint
  readonly envelopeXdr: string
  /** What operation i is about: a channel's id, or the issuance whose balance is taken back. */
  readonly subjects: ReadonlyArray<string>
  /** Exclusive: it cannot apply in this ledger or later. */
  readonly ledgerMax: number
}

export interface OpenUpkeep extends UpkeepTransaction {
  /** When it was last handed in, or stored. */
  readonly sentAtMs: number
}

/** How a transaction ended: `expired` has had no effect at all, `failed` cost its fee. */
export type UpkeepEnd =
  | { readonly status: "applied" | "failed"; readonly ledger: number; readonly resultXdr: string }
  | { readonly status: "expired" }

interface Row {
  readonly hash: string
  readonly purpose: UpkeepPurpose
  readonly sequence: bigint
  readonly envelope_xdr: string
  readonly subjects: ReadonlyArray<string>
  readonly ledger_max: bigint
  readonly updated_at: Date
}

/** The one that has no end yet, if there is one. */
export const openUpkeep = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<Row>`
    SELECT hash, purpose, sequence, envelope_xdr, subjects, ledger_max, updated_at
    FROM upkeep_transactions WHERE status = 'signed'`
  if (row === undefined) return undefined
  const open: OpenUpkeep = {
    hash: row.hash,
    purpose: row.purpose,
    sequence: row.sequence,
    envelopeXdr: row.envelope_xdr,
    subjects: row.subjects,
    ledgerMax: Number(row.ledger_max),
    sentAtMs: row.updated_at.getTime(),
  }
  return open
}).pipe(Effect.orDie, Effect.withSpan("UpkeepTransactions.open"))

/**
 * "refused": another one is open, or what it was built from is of the past, and it could only be refused. "unaffordable":
 * the XLM that it takes is promised to claimable balances in flight, or is not there.
 */
export type StoredUpkeep = "stored" | "refused" | "unaffordable"

/** Stores a signed transaction, whose XLM is promised to it from then on. `xlm` is what there was when it was planned. */
export const storeUpkeep = Effect.fn("UpkeepTransactions.store")(function* (
  transaction: UpkeepTransaction,
  xlm: SpendableXlm,
) {
  const sql = yield* SqlClient.SqlClient
  return yield* Effect.gen(function* () {
    yield* lockXlm
    // A statement of its own: it must see what the transaction that held the lock before has promised.
    const free = leftForUpkeep(xlm, yield* allPromises)
    if (free === undefined) return "refused" as StoredUpkeep
    if (xlmTakenBy(transaction.envelopeXdr) > free) return "unaffordable"
    return (yield* insertUpkeep(transaction)) ? "stored" : "refused"
  }).pipe(sql.withTransaction)
}, Effect.orDie)

const insertUpkeep = Effect.fnUntraced(function* (transaction: UpkeepTransaction) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  const { envelopeXdr, hash, ledgerMax, purpose, sequence, subjects } = transaction
  const stored = yield* sql`
    INSERT INTO upkeep_transactions (hash, purpose, sequence, envelope_xdr, subjects, ledger_max, status, created_at,
      updated_at)
    SELECT ${hash}::text, ${purpose}::text, ${sequence}::bigint, ${envelopeXdr}::text, ${subjects}::text[],
      ${ledgerMax}::bigint, 'signed', ${at}::timestamptz, ${at}::timestamptz
    WHERE NOT EXISTS (
      SELECT 1 FROM upkeep_transactions WHERE status IN ('applied', 'failed') AND sequence >= ${sequence}::bigint)
    ON CONFLICT DO NOTHING
    RETURNING hash`
  return stored.length > 0
})

/** Notes that it is being handed in again. */
export const touchUpkeep = Effect.fn("UpkeepTransactions.touch")(function* (hash: string) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* sql`UPDATE upkeep_transactions SET updated_at = ${at} WHERE hash = ${hash} AND status = 'signed'`
}, Effect.orDie)

/** Writes its end down with all that follows from it, once; false when another worker has done so. */
export const endUpkeep = Effect.fn("UpkeepTransactions.end")(function* (
  transaction: UpkeepTransaction,
  end: UpkeepEnd,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  const included = end.status === "expired" ? { ledger: null, resultXdr: null } : end
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const ended = yield* sql`
        UPDATE upkeep_transactions SET status = ${end.status}, result_xdr = ${included.resultXdr},
          ledger = ${included.ledger}, updated_at = ${at}
        WHERE hash = ${transaction.hash} AND status = 'signed' RETURNING hash`
      if (ended.length === 0) return false
      if (end.status === "applied" && transaction.purpose === "reclaim") {
        yield* recordReclaimed(transaction.subjects, { txHash: transaction.hash, ledger: end.ledger })
      }
      return true
    }),
  )
}, Effect.orDie)

/** First pause after a failure, in ms; it doubles with each one in a row. */
const FAILURE_PAUSE_MS = 10_000
const FAILURE_PAUSE_MS_MAX = 3_600_000

/** How many of the last ones are looked at: more doublings than the longest pause needs. */
const LOOKED_BACK = 12

/**
 * Whether another of the same kind should wait: each failure costs its fee, and what made it fail may last. Expired
 * ones cost nothing and pause nothing.
 */
export const isUpkeepPaused = Effect.fn("UpkeepTransactions.isPaused")(function* (purpose: UpkeepPurpose) {
  const sql = yield* SqlClient.SqlClient
  const last = yield* sql<{ status: string; updated_at: Date }>`
    SELECT status, updated_at FROM upkeep_transactions
    WHERE purpose = ${purpose} AND status IN ('applied', 'failed') ORDER BY created_at DESC LIMIT ${LOOKED_BACK}`
  const [latest] = last
  const applied = last.findIndex(({ status }) => status === "applied")
  const failures = applied === -1 ? last.length : applied
  if (latest === undefined || failures === 0) return false
  const pauseMs = Math.min(FAILURE_PAUSE_MS * 2 ** (failures - 1), FAILURE_PAUSE_MS_MAX)
  return (yield* Clock.currentTimeMillis) < latest.updated_at.getTime() + pauseMs
}, Effect.orDie)
