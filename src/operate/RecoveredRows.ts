/**
 * What a transaction that the database had lost does to its rows. Belongs into a database transaction that holds every
 * channel's lease; one for each transaction of the ledger.
 *
 * Invariants:
 * - A row is confirmed by proof only, and every step that it must have taken is written into its history.
 * - Whatever looks like a payment that was matched with nothing waits for a person: paying it could pay it twice.
 * - Repeating changes nothing: each statement names the state that it starts from.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { IssuanceStatus } from "../issuance/Issuance.ts"
import { lockCampaigns } from "../issuance/LockCampaigns.ts"
import { lockLookAlikes } from "../issuance/LookAlikes.ts"
import type { LedgerPayment, LedgerTransaction } from "./LedgerTransaction.ts"

/** Where a transaction stood. */
export interface Place {
  readonly channelId: number
  readonly transaction: LedgerTransaction
  /** The hash that rows carry as their proof. */
  readonly proofHash: string
}

/** A row that could have been paid, or could look as if it had been. */
export interface OpenRow {
  readonly id: string
  readonly status: IssuanceStatus
}

const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms))

/**
 * Writes the steps by which a row left its state into its history, so that each move is one of the state table's.
 * Statements of their own: the order of the lines is the order of their ids.
 */
export const recordSteps = Effect.fnUntraced(function* (
  rows: ReadonlyArray<OpenRow>,
  to: "pending" | "submitted",
  { at, detail }: { readonly at: Date; readonly detail: object },
) {
  const sql = yield* SqlClient.SqlClient
  const add = (ids: ReadonlyArray<string>, from: string, target: string) =>
    ids.length === 0
      ? Effect.void
      : sql`
          INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason, detail)
          SELECT unnest(${ids}::text[]), ${at}, ${from}, ${target}, 'recovered', ${JSON.stringify(detail)}::jsonb`
  const ids = (...statuses: ReadonlyArray<IssuanceStatus>) =>
    rows.filter(({ status }) => statuses.includes(status)).map(({ id }) => id)
  yield* add(ids("held"), "held", "pending")
  if (to === "submitted") yield* add(ids("held", "pending"), "pending", "submitted")
})

/**
 * Locks what one transaction may change, in the order that everybody keeps: what looks like its payments, then the
 * campaigns of what it paid and of what is bound to its sequence.
 */
export const lockPlace = Effect.fn("RecoveredRows.lockPlace")(function* (
  { channelId, transaction }: Place,
  issuanceIds: ReadonlyArray<string>,
) {
  const sql = yield* SqlClient.SqlClient
  yield* lockLookAlikes(transaction.payments)
  yield* sql`
    SELECT id FROM campaigns WHERE id IN (
      SELECT campaign_id FROM reward_issuances WHERE id = ANY(${issuanceIds}::text[])
      UNION ALL
      SELECT campaign_id FROM reward_issuances
      WHERE status = 'submitted' AND channel_id = ${channelId} AND channel_sequence = ${transaction.sequence}
    ) ORDER BY id FOR NO KEY UPDATE`
})

export interface PaymentProof {
  readonly hash: string
  readonly ledger: number
  /** Where the batch stood. */
  readonly detail: object
}

const OPEN = ["pending", "submitted", "held"]
const ENDED = ["failed", "cancelled"]

/**
 * Confirms rows by operations of one transaction; only those that are open, or those that had ended too where that is
 * said: then their amounts have been promised again before. Answers with their ids.
 */
export const confirmRows = Effect.fn("RecoveredRows.confirmRows")(function* (
  paid: ReadonlyArray<{ readonly issuanceId: string; readonly payment: LedgerPayment }>,
  proof: PaymentProof,
  /** What the history says beside the proof; undefined where only open rows are confirmed. */
  ended?: object,
) {
  const sql = yield* SqlClient.SqlClient
  const at = yield* now
  const ids = paid.map(({ issuanceId }) => issuanceId)
  yield* sql`
    SELECT id FROM campaigns WHERE id IN (
      SELECT campaign_id FROM reward_issuances WHERE id = ANY(${ids}::text[])
    ) ORDER BY id FOR NO KEY UPDATE`
  const open = yield* sql<OpenRow>`
    SELECT id, status FROM reward_issuances
    WHERE id = ANY(${ids}::text[]) AND status = ANY(${ended === undefined ? OPEN : [...OPEN, ...ENDED]}::text[])
    ORDER BY id FOR UPDATE`
  yield* recordSteps(open, "submitted", { at, detail: proof.detail })
  const before = new Map(open.map(({ id, status }) => [id, status]))
  const confirmed = paid.filter(({ issuanceId }) => before.has(issuanceId))
  const lastStep = ({ issuanceId }: { readonly issuanceId: string }) => {
    const status = before.get(issuanceId) ?? "submitted"
    return ENDED.includes(status) ? status : "submitted"
  }
  yield* sql`
    WITH paid AS (
      UPDATE reward_issuances r SET status = 'confirmed', reason = NULL, held_check_at = NULL, channel_id = NULL,
        channel_sequence = NULL, tx_hash = ${proof.hash}, ledger = ${proof.ledger}, operation_index = p.place,
        payout = p.payout, confirmed_at = ${at}, updated_at = ${at}
      FROM unnest(
        ${confirmed.map((one) => one.issuanceId)}::text[],
        ${confirmed.map((one) => one.payment.operationIndex)}::int[],
        ${confirmed.map((one) => (one.payment.balance === undefined ? "payment" : "claimable_balance"))}::text[],
        ${confirmed.map(lastStep)}::text[]
      ) AS p (id, place, payout, last_step)
      WHERE r.id = p.id
      RETURNING r.id, r.campaign_id, r.amount_stroops, r.operation_index, p.last_step
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason, detail)
      SELECT id, ${at}, last_step, 'confirmed', 'recovered', jsonb_build_object(
        'txHash', ${proof.hash}::text, 'ledger', ${proof.ledger}::bigint, 'operationIndex', operation_index)
        || ${JSON.stringify(ended ?? {})}::jsonb
      FROM paid
    )
    UPDATE campaigns c SET reserved_stroops = reserved_stroops - s.stroops,
      spent_stroops = spent_stroops + s.stroops, updated_at = ${at}
    FROM (SELECT campaign_id, sum(amount_stroops)::bigint AS stroops FROM paid GROUP BY campaign_id) s
    WHERE c.id = s.campaign_id`
  const balances = confirmed.flatMap(({ issuanceId, payment: { balance } }) =>
    balance?.reclaimAfter === undefined
      ? []
      : [{ issuanceId, balanceId: balance.balanceId, reclaimAfter: balance.reclaimAfter }],
  )
  yield* sql`
    INSERT INTO claimable_balances (issuance_id, balance_id, reclaim_after, status, created_at, updated_at)
    SELECT id, balance_id, reclaim_after, 'open', ${at}, ${at}
    FROM unnest(
      ${balances.map((one) => one.issuanceId)}::text[], ${balances.map((one) => one.balanceId)}::text[],
      ${balances.map((one) => one.reclaimAfter)}::timestamptz[]
    ) AS b (id, balance_id, reclaim_after)
    ON CONFLICT (issuance_id) DO NOTHING`
  return confirmed.map(({ issuanceId }) => issuanceId)
})

/** The envelope as the database would hold it, had it not lost it; and what else was signed there is dead. */
export const recordEnvelope = Effect.fn("RecoveredRows.recordEnvelope")(function* (
  { channelId, proofHash, transaction }: Place,
  issuanceIds: ReadonlyArray<string>,
  feeChargedStroops: bigint,
) {
  const sql = yield* SqlClient.SqlClient
  const at = yield* now
  yield* sql`
    UPDATE stellar_envelopes SET status = 'expired', updated_at = ${at}
    WHERE channel_id = ${channelId} AND sequence = ${transaction.sequence} AND status = 'signed'`
  if (issuanceIds.length === 0) return
  yield* sql`
    INSERT INTO stellar_envelopes (hash, channel_id, sequence, envelope_xdr, issuance_ids, ledger_signed, ledger_max,
      fee_stroops_max, fee_charged_stroops, status, result_xdr, ledger, created_at, updated_at)
    VALUES (${proofHash}, ${channelId}, ${transaction.sequence}, ${transaction.envelopeXdr},
      ${issuanceIds}::text[], ${transaction.ledger - 1}, ${transaction.ledgerMax ?? transaction.ledger + 1},
      ${transaction.feeStroopsMax}, ${feeChargedStroops}, 'applied', ${transaction.resultXdr},
      ${transaction.ledger}, ${at}, ${at})
    ON CONFLICT (hash) DO UPDATE SET status = 'applied', result_xdr = excluded.result_xdr,
      ledger = excluded.ledger, fee_charged_stroops = excluded.fee_charged_stroops, updated_at = ${at}`
})

/** Writes payments down that belong to no row. Answers with how many are new. */
export const recordUnmatched = Effect.fn("RecoveredRows.recordUnmatched")(function* (
  { channelId, proofHash, transaction }: Place,
  payments: ReadonlyArray<LedgerPayment>,
) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    INSERT INTO unmatched_payments (tx_hash, operation_index, ledger, channel_id, sequence, wallet_account,
      wallet_address, amount_stroops, balance_id, reclaim_after, found_at)
    SELECT ${proofHash}, place, ${transaction.ledger}, ${channelId}, ${transaction.sequence}, account, address,
      stroops, nullif(balance_id, ''), nullif(reclaim_after, '')::timestamptz, ${yield* now}
    FROM unnest(
      ${payments.map((one) => one.operationIndex)}::int[], ${payments.map((one) => one.walletAccount)}::text[],
      ${payments.map((one) => one.walletAddress)}::text[], ${payments.map((one) => one.amountStroops)}::bigint[],
      ${payments.map((one) => one.balance?.balanceId ?? "")}::text[],
      ${payments.map((one) => one.balance?.reclaimAfter?.toISOString() ?? "")}::text[]
    ) AS p (place, account, address, stroops, balance_id, reclaim_after)
    ON CONFLICT (tx_hash, operation_index) DO NOTHING RETURNING 1`
  return rows.length
})

/** Holds every waiting row that looks like one of these payments. Answers with their ids. */
export const holdLookAlikes = Effect.fn("RecoveredRows.holdLookAlikes")(function* (
  payments: ReadonlyArray<Pick<LedgerPayment, "walletAccount" | "amountStroops">>,
  mode: "live" | "test",
) {
  const sql = yield* SqlClient.SqlClient
  const at = yield* now
  const alike = yield* sql<OpenRow>`
    SELECT id, status FROM reward_issuances
    WHERE status IN ('pending', 'held') AND mode = ${mode} AND reason IS DISTINCT FROM 'under_review'
      AND (wallet_account, amount_stroops) IN (
        SELECT * FROM unnest(${payments.map((one) => one.walletAccount)}::text[],
          ${payments.map((one) => one.amountStroops)}::bigint[]))
    ORDER BY id FOR UPDATE`
  if (alike.length === 0) return []
  yield* recordSteps(alike, "pending", { at, detail: {} })
  yield* sql`
    WITH held AS (
      UPDATE reward_issuances SET status = 'held', reason = 'under_review', held_check_at = NULL, updated_at = ${at}
      WHERE id = ANY(${alike.map(({ id }) => id)}::text[]) RETURNING id
    )
    INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
    SELECT id, ${at}, 'pending', 'held', 'under_review' FROM held`
  return alike.map(({ id }) => id)
})

/**
 * Unbinds what is bound to a sequence at which nothing that pays it can apply any more: it waits for its next batch,
 * with its campaign where that is paused, or for a person where it looks like an open unmatched payment. Answers with
 * the rows as they are then.
 */
export const releaseBound = Effect.fn("RecoveredRows.releaseBound")(function* (
  channelId: number,
  sequence: bigint,
  detail: object,
  only: "all" | "look_alikes" = "all",
) {
  const sql = yield* SqlClient.SqlClient
  const at = yield* now
  // A campaign that is paused meanwhile must not be read as active.
  yield* lockCampaigns(channelId, sequence)
  return yield* sql<OpenRow>`
    WITH bound AS (
      SELECT r.id, c.status = 'paused' AS is_paused, EXISTS (
        SELECT 1 FROM unmatched_payments u WHERE u.resolved_at IS NULL AND u.wallet_account = r.wallet_account
          AND u.amount_stroops = r.amount_stroops) AS is_alike
      FROM reward_issuances r JOIN campaigns c ON c.id = r.campaign_id
      WHERE r.status = 'submitted' AND r.channel_id = ${channelId} AND r.channel_sequence = ${sequence}
      ORDER BY r.id FOR UPDATE OF r
    ), released AS (
      UPDATE reward_issuances r SET channel_id = NULL, channel_sequence = NULL, updated_at = ${at},
        status = CASE WHEN is_alike OR is_paused THEN 'held' ELSE 'pending' END,
        reason = CASE WHEN is_alike THEN 'under_review' WHEN is_paused THEN 'campaign_paused' END
      FROM bound WHERE r.id = bound.id AND (is_alike OR ${only} = 'all')
      RETURNING r.id, r.status, r.reason
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason, detail)
      SELECT id, ${at}, 'submitted', status, coalesce(reason, 'recovered'), ${JSON.stringify(detail)}::jsonb
      FROM released
    )
    SELECT id, status FROM released ORDER BY id`
})
