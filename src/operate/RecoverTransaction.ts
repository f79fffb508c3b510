/**
 * One transaction of a channel against the database: is it known, did it fail, which rows does it pay; and the writes
 * that follow from that.
 *
 * Invariant: a successful transaction that the database does not know ends as confirmed rows or as unmatched payments,
 * never as nothing. How it would break: taking a transaction for known because its hash is stored, though no row that
 * it paid is still bound to it, so that nobody would settle it.
 */
import { Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { IssuanceSettings } from "../issuance/IssuanceSettings.ts"
import { readOutcome } from "../issuance/TransactionOutcome.ts"
import type { LedgerPayment, LedgerTransaction, Payer } from "./LedgerTransaction.ts"
import { type Candidate, type Match, matchBatch } from "./MatchBatch.ts"
import {
  confirmRows,
  holdLookAlikes,
  lockPlace,
  type OpenRow,
  type Place,
  recordEnvelope,
  recordUnmatched,
  releaseBound,
} from "./RecoveredRows.ts"
import { type StoredEnvelope, settleStored } from "./SettleStored.ts"

/** A row that the database calls failed or cancelled, though its payment is on the ledger. */
export interface Contradiction {
  readonly issuanceId: string
  readonly status: string
  readonly txHash: string
  readonly operationIndex: number
}

export type Fate =
  /** Settled already. */
  | { readonly _tag: "Known" }
  /** Consumed its sequence and paid nobody. `stored` is its envelope, where the database has it. */
  | { readonly _tag: "Failed"; readonly stored: StoredEnvelope | undefined }
  /** Operation i paid reward i. */
  | { readonly _tag: "Matched"; readonly issuanceIds: ReadonlyArray<string> }
  /** It paid what the database does not know. */
  | { readonly _tag: "Unmatched"; readonly gaveUp: boolean }

/**
 * The transaction's envelope as it was stored before it was sent: what it pays need not be guessed. Of a bump that is
 * stored, that one; else the transaction inside.
 */
const findStored = Effect.fnUntraced(function* (transaction: LedgerTransaction) {
  const sql = yield* SqlClient.SqlClient
  const hashes = [transaction.hash, transaction.innerHash ?? transaction.hash]
  const rows = yield* sql<StoredEnvelope & { readonly status: string }>`
    SELECT hash, issuance_ids AS "issuanceIds", status FROM stellar_envelopes WHERE hash = ANY(${hashes}::text[])`
  return {
    isSettled: rows.some(({ status }) => status === "applied"),
    stored: rows.find(({ hash }) => hash === transaction.hash) ?? rows.at(0),
  }
})

interface CandidateRow extends Candidate {
  readonly status: string
}

const OPEN = ["pending", "submitted", "held"]
const ENDED = ["failed", "cancelled"]

/** Rows of the same wallets and amounts. Through the merchants, since the index on wallets begins with them. */
const candidatesFor = Effect.fnUntraced(function* (
  payments: ReadonlyArray<LedgerPayment>,
  statuses: ReadonlyArray<string>,
) {
  const sql = yield* SqlClient.SqlClient
  const { mode } = yield* IssuanceSettings
  return yield* sql<CandidateRow>`
    SELECT r.id AS "issuanceId", r.wallet_address AS "walletAddress", r.amount_stroops AS "amountStroops", r.status
    FROM merchants m JOIN reward_issuances r ON r.merchant_id = m.id AND r.mode = ${mode}
    WHERE r.status = ANY(${statuses}::text[]) AND (r.wallet_address, r.amount_stroops) IN (
      SELECT * FROM unnest(${payments.map((one) => one.walletAddress)}::text[],
        ${payments.map((one) => one.amountStroops)}::bigint[]))`
})

const matchAmong = (
  { memoHash, operations, payments }: LedgerTransaction,
  rows: ReadonlyArray<Candidate>,
): Match =>
  memoHash === undefined || payments.length !== operations
    ? { _tag: "Unmatched" }
    : matchBatch(memoHash, payments, rows)

/** What the transaction is to this database. `taken` are rows that are spoken for. */
export const fateOf = Effect.fn("RecoverTransaction.fateOf")(function* (
  transaction: LedgerTransaction,
  taken: ReadonlySet<string>,
): Effect.fn.Return<Fate, SqlError.SqlError, SqlClient.SqlClient | IssuanceSettings> {
  const { isSettled, stored } = yield* findStored(transaction)
  if (isSettled) return { _tag: "Known" }
  if (!transaction.successful) return { _tag: "Failed", stored }
  const { operations, payments } = transaction
  if (stored?.issuanceIds.length === operations && payments.length === operations) {
    return { _tag: "Matched", issuanceIds: stored.issuanceIds }
  }
  const free = (rows: ReadonlyArray<CandidateRow>) => rows.filter(({ issuanceId }) => !taken.has(issuanceId))
  const open = free(yield* candidatesFor(transaction.payments, OPEN))
  const match = matchAmong(transaction, open)
  if (match._tag === "Matched") return match
  const ended = free(yield* candidatesFor(transaction.payments, ENDED))
  const wider = ended.length === 0 ? match : matchAmong(transaction, [...open, ...ended])
  return wider._tag === "Matched" ? wider : { _tag: "Unmatched", gaveUp: match._tag === "GaveUp" }
}, Effect.orDie)

/** What one transaction changed. */
export interface Changes {
  readonly confirmed: ReadonlyArray<string>
  /** Ended by their own fault, as the ledger's result says. */
  readonly failed: ReadonlyArray<string>
  readonly held: ReadonlyArray<string>
  readonly released: ReadonlyArray<string>
  readonly unmatched: ReadonlyArray<LedgerPayment>
  readonly contradictions: ReadonlyArray<Contradiction>
}

/**
 * The hash that rows carry: of the envelope that was signed here. A bump that our own accounts paid for was; of a
 * stranger's only the transaction inside was.
 */
const proofHashOf = (
  { feeSource, hash, innerHash, source }: LedgerTransaction,
  { distributionAddress }: Payer,
): string => (feeSource === source || feeSource === distributionAddress ? hash : (innerHash ?? hash))

const feeChargedOf = ({ operations, resultXdr, successful }: LedgerTransaction): bigint => {
  const outcome = readOutcome(resultXdr, operations, successful)
  return outcome._tag === "Unreadable" ? 0n : outcome.feeStroops
}

const confirmMatched = Effect.fnUntraced(function* (place: Place, issuanceIds: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  const { channelId, proofHash, transaction } = place
  const paid = transaction.payments.map((payment, index) => ({
    payment,
    issuanceId: issuanceIds[index] ?? "",
  }))
  const detail = { channel: channelId, sequence: String(transaction.sequence) }
  const confirmed = yield* confirmRows(paid, { hash: proofHash, ledger: transaction.ledger, detail })
  const isConfirmed = new Set(confirmed)
  const refused = paid.filter(({ issuanceId }) => !isConfirmed.has(issuanceId))
  const states = yield* sql<{ id: string; status: string }>`
    SELECT id, status FROM reward_issuances WHERE id = ANY(${refused.map((one) => one.issuanceId)}::text[])`
  return {
    confirmed,
    failed: [],
    unmatched: refused.map(({ payment }) => payment),
    contradictions: refused.map(({ issuanceId, payment: { operationIndex } }): Contradiction => {
      const status = states.find(({ id }) => id === issuanceId)?.status ?? "gone"
      return { issuanceId, status, txHash: proofHash, operationIndex }
    }),
  }
})

const idsIn = (rows: ReadonlyArray<OpenRow>, status: OpenRow["status"]) =>
  rows.filter((row) => row.status === status).map(({ id }) => id)

const nothing: Changes = {
  confirmed: [],
  failed: [],
  held: [],
  released: [],
  unmatched: [],
  contradictions: [],
}

/** Writes what follows from the fate, inside the caller's transaction. */
export const applyFate = Effect.fn("RecoverTransaction.applyFate")(function* (
  channelId: number,
  transaction: LedgerTransaction,
  fate: Fate,
  payer: Payer,
) {
  const { mode } = yield* IssuanceSettings
  if (fate._tag === "Known") return nothing
  const place = { channelId, transaction, proofHash: proofHashOf(transaction, payer) }
  const issuanceIds = fate._tag === "Matched" ? fate.issuanceIds : []
  yield* lockPlace(place, issuanceIds)
  if (fate._tag === "Failed" && fate.stored !== undefined) {
    const rows = yield* settleStored(place, fate.stored)
    return {
      ...nothing,
      failed: idsIn(rows, "failed"),
      held: idsIn(rows, "held"),
      released: idsIn(rows, "pending"),
    }
  }
  const settled =
    fate._tag === "Matched"
      ? yield* confirmMatched(place, fate.issuanceIds)
      : { ...nothing, unmatched: fate._tag === "Unmatched" ? transaction.payments : [] }
  yield* recordEnvelope(place, issuanceIds, feeChargedOf(transaction))
  yield* recordUnmatched(place, settled.unmatched)
  const alike = settled.unmatched.length === 0 ? [] : yield* holdLookAlikes(settled.unmatched, mode)
  const bound = yield* releaseBound(channelId, transaction.sequence, {
    txHash: place.proofHash,
    ledger: transaction.ledger,
  })
  return {
    ...settled,
    held: [...alike, ...idsIn(bound, "held")],
    released: idsIn(bound, "pending"),
  } satisfies Changes as Changes
}, Effect.orDie)
