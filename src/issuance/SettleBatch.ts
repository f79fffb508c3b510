/**
 * The end of a batch in the database: states, events and budgets change together, inside the caller's fenced
 * transaction. Only rows that are still bound to this (channel, sequence) change, so settling twice changes
 * nothing.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type Ejection, eject } from "./EjectRewards.ts"
import { lockCampaigns } from "./LockCampaigns.ts"

/** A batch's transaction as the ledger has it, whatever came of it. */
export interface IncludedBatch {
  readonly sequence: bigint
  readonly hash: string
  /** The ledger that included it. */
  readonly ledger: number
  /** TransactionResult, base64 XDR. */
  readonly resultXdr: string
  readonly feeStroops: bigint
}

export interface PaidBatch extends IncludedBatch {
  /** In operation order. */
  readonly issuanceIds: ReadonlyArray<string>
  /** Of the operations that left a claimable balance. */
  readonly balances: ReadonlyArray<{
    readonly issuanceId: string
    /** ClaimableBalanceID, hex XDR. */
    readonly balanceId: string
    readonly reclaimAfter: Date
  }>
}

export interface FailedBatch extends IncludedBatch {
  /** The transaction's code, for the timeline of those that did nothing wrong. */
  readonly code: string
  /** Whose own fault it was. */
  readonly ejections: ReadonlyArray<Ejection>
}

const recordApplied = Effect.fnUntraced(function* (channelId: number, batch: IncludedBatch, at: Date) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    UPDATE stellar_envelopes SET
      status = CASE WHEN hash = ${batch.hash} THEN 'applied' ELSE 'expired' END,
      result_xdr = CASE WHEN hash = ${batch.hash} THEN ${batch.resultXdr}::text END,
      ledger = CASE WHEN hash = ${batch.hash} THEN ${batch.ledger}::bigint END,
      fee_charged_stroops = CASE WHEN hash = ${batch.hash} THEN ${batch.feeStroops}::bigint END,
      updated_at = ${at}
    WHERE channel_id = ${channelId} AND sequence = ${batch.sequence}`
})

/**
 * Whatever is still bound to the sequence did nothing wrong: it waits for the next batch, or with its campaign where
 * that was paused meanwhile. Answers with how many.
 */
const releaseRest = Effect.fnUntraced(function* (
  channelId: number,
  sequence: bigint,
  { at, detail, reason }: { readonly at: Date; readonly reason: string; readonly detail: object },
) {
  const sql = yield* SqlClient.SqlClient
  const [released] = yield* sql<{ count: number }>`
    WITH released AS (
      UPDATE reward_issuances r SET status = CASE WHEN c.status = 'paused' THEN 'held' ELSE 'pending' END,
        reason = CASE WHEN c.status = 'paused' THEN 'campaign_paused' END,
        channel_id = NULL, channel_sequence = NULL, updated_at = ${at}
      FROM campaigns c
      WHERE c.id = r.campaign_id AND r.status = 'submitted' AND r.channel_id = ${channelId}
        AND r.channel_sequence = ${sequence}
      RETURNING r.id, r.status, r.reason
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason, detail)
      SELECT id, ${at}, 'submitted', status, coalesce(reason, ${reason}), ${JSON.stringify(detail)}::jsonb
      FROM released
    )
    SELECT count(*)::int AS count FROM released`
  return released?.count ?? 0
})

const recordBalances = Effect.fnUntraced(function* ({ balances }: PaidBatch, at: Date) {
  if (balances.length === 0) return
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    INSERT INTO claimable_balances (issuance_id, balance_id, reclaim_after, status, created_at, updated_at)
    SELECT b.id, b.balance_id, b.reclaim_after, 'open', ${at}, ${at}
    FROM unnest(
      ${balances.map((one) => one.issuanceId)}::text[], ${balances.map((one) => one.balanceId)}::text[],
      ${balances.map((one) => one.reclaimAfter)}::timestamptz[]
    ) AS b (id, balance_id, reclaim_after)
    JOIN reward_issuances r ON r.id = b.id AND r.status = 'confirmed'
    ON CONFLICT (issuance_id) DO NOTHING`
})

/** Confirms the payments of an applied envelope; answers with how long each took since it was accepted, in ms. */
export const settlePaid = Effect.fn("SettleBatch.settlePaid")(function* (
  channelId: number,
  batch: PaidBatch,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* lockCampaigns(channelId, batch.sequence)
  const confirmed = yield* sql<{ created_at: Date }>`
    WITH paid AS (
      UPDATE reward_issuances r SET status = 'confirmed', channel_id = NULL, channel_sequence = NULL,
        tx_hash = ${batch.hash}, ledger = ${batch.ledger}, operation_index = p.place - 1, confirmed_at = ${at},
        updated_at = ${at}
      FROM unnest(${batch.issuanceIds}::text[]) WITH ORDINALITY AS p (id, place)
      WHERE r.id = p.id AND r.status = 'submitted' AND r.channel_id = ${channelId}
        AND r.channel_sequence = ${batch.sequence}
      RETURNING r.id, r.campaign_id, r.amount_stroops, r.operation_index, r.created_at
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, detail)
      SELECT id, ${at}, 'submitted', 'confirmed', jsonb_build_object(
        'txHash', ${batch.hash}::text, 'ledger', ${batch.ledger}::bigint, 'operationIndex', operation_index)
      FROM paid
    ), budgets AS (
      UPDATE campaigns c SET reserved_stroops = reserved_stroops - s.stroops,
        spent_stroops = spent_stroops + s.stroops, updated_at = ${at}
      FROM (SELECT campaign_id, sum(amount_stroops)::bigint AS stroops FROM paid GROUP BY campaign_id) s
      WHERE c.id = s.campaign_id
    )
    SELECT created_at FROM paid`
  yield* recordBalances(batch, at)
  yield* releaseRest(channelId, batch.sequence, {
    at,
    reason: "left_out",
    detail: { txHash: batch.hash, ledger: batch.ledger },
  })
  yield* recordApplied(channelId, batch, at)
  return confirmed.map(({ created_at }) => at.getTime() - created_at.getTime())
}, Effect.orDie)

/** Ends or holds the guilty with their reasons, and releases the others. */
export const settleFailed = Effect.fn("SettleBatch.settleFailed")(function* (
  channelId: number,
  batch: FailedBatch,
) {
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* lockCampaigns(channelId, batch.sequence)
  // First, so that nothing at this sequence counts as alive.
  yield* recordApplied(channelId, batch, at)
  yield* eject(channelId, batch.sequence, batch.ejections)
  yield* releaseRest(channelId, batch.sequence, {
    at,
    reason: `batch_failed:${batch.code}`,
    detail: { txHash: batch.hash, ledger: batch.ledger },
  })
}, Effect.orDie)

/** Gives back what is bound to a sequence at which everything signed has expired. Answers with how many. */
export const releaseExpired = Effect.fn("SettleBatch.releaseExpired")(function* (
  channelId: number,
  sequence: bigint,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  const alive = yield* sql`
    SELECT 1 FROM stellar_envelopes
    WHERE channel_id = ${channelId} AND sequence = ${sequence} AND status <> 'expired'`
  if (alive.length > 0) return 0
  yield* lockCampaigns(channelId, sequence)
  return yield* releaseRest(channelId, sequence, {
    at,
    reason: "channel_out_of_use",
    detail: { channel: channelId, sequence: String(sequence) },
  })
}, Effect.orDie)
