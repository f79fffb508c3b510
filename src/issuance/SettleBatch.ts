/**
 * The end of a batch in the database: states, events and budgets change together, inside the caller's fenced
 * transaction. Only rows that are still bound to this (channel, sequence) change, so settling twice changes
 * nothing.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { IssuanceReason } from "./Issuance.ts"

interface IncludedBatch {
  readonly sequence: bigint
  readonly hash: string
  /** The ledger that included it. */
  readonly ledger: number
  /** TransactionResult, base64 XDR. */
  readonly resultXdr: string
}

export interface PaidBatch extends IncludedBatch {
  /** In operation order. */
  readonly issuanceIds: ReadonlyArray<string>
}

export interface FailedBatch extends IncludedBatch {
  /** The transaction's code, for the timeline of those that did nothing wrong. */
  readonly code: string
  /** Whose own fault it was. */
  readonly failed: ReadonlyArray<{
    readonly issuanceId: string
    readonly reason: IssuanceReason
    readonly code: string
  }>
}

/**
 * Locks the campaigns of the batch in one order, so that two settlements that share campaigns cannot wait for each
 * other. NO KEY UPDATE lets accepts go on inserting rows that refer to them.
 */
const lockCampaigns = Effect.fnUntraced(function* (channelId: number, sequence: bigint) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    SELECT id FROM campaigns WHERE id IN (
      SELECT campaign_id FROM reward_issuances
      WHERE status = 'submitted' AND channel_id = ${channelId} AND channel_sequence = ${sequence}
    ) ORDER BY id FOR NO KEY UPDATE`
})

const recordApplied = Effect.fnUntraced(function* (channelId: number, batch: IncludedBatch, at: Date) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    UPDATE stellar_envelopes SET
      status = CASE WHEN hash = ${batch.hash} THEN 'applied' ELSE 'expired' END,
      result_xdr = CASE WHEN hash = ${batch.hash} THEN ${batch.resultXdr}::text END,
      ledger = CASE WHEN hash = ${batch.hash} THEN ${batch.ledger}::bigint END,
      updated_at = ${at}
    WHERE channel_id = ${channelId} AND sequence = ${batch.sequence}`
})

/** Whatever is still bound to the consumed sequence did nothing wrong: it waits for the next batch. */
const releaseRest = Effect.fnUntraced(function* (
  channelId: number,
  batch: IncludedBatch,
  reason: string,
  at: Date,
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    WITH released AS (
      UPDATE reward_issuances SET status = 'pending', channel_id = NULL, channel_sequence = NULL, updated_at = ${at}
      WHERE status = 'submitted' AND channel_id = ${channelId} AND channel_sequence = ${batch.sequence}
      RETURNING id
    )
    INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason, detail)
    SELECT id, ${at}, 'submitted', 'pending', ${reason},
      jsonb_build_object('txHash', ${batch.hash}::text, 'ledger', ${batch.ledger}::bigint)
    FROM released`
})

/** Confirms the payments of an applied envelope; answers with how many were confirmed now. */
export const settlePaid = Effect.fn("SettleBatch.settlePaid")(function* (
  channelId: number,
  batch: PaidBatch,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* lockCampaigns(channelId, batch.sequence)
  const [settled] = yield* sql<{ confirmed: number }>`
    WITH paid AS (
      UPDATE reward_issuances r SET status = 'confirmed', channel_id = NULL, channel_sequence = NULL,
        tx_hash = ${batch.hash}, ledger = ${batch.ledger}, operation_index = p.place - 1, confirmed_at = ${at},
        updated_at = ${at}
      FROM unnest(${batch.issuanceIds}::text[]) WITH ORDINALITY AS p (id, place)
      WHERE r.id = p.id AND r.status = 'submitted' AND r.channel_id = ${channelId}
        AND r.channel_sequence = ${batch.sequence}
      RETURNING r.id, r.campaign_id, r.amount_stroops, r.operation_index
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
    SELECT count(*)::int AS confirmed FROM paid`
  yield* releaseRest(channelId, batch, "left_out", at)
  yield* recordApplied(channelId, batch, at)
  return settled?.confirmed ?? 0
}, Effect.orDie)

/** Ends the guilty with their reasons, gives their budget back, and releases the others. */
export const settleFailed = Effect.fn("SettleBatch.settleFailed")(function* (
  channelId: number,
  batch: FailedBatch,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* lockCampaigns(channelId, batch.sequence)
  if (batch.failed.length > 0) {
    yield* sql`
      WITH failed AS (
        UPDATE reward_issuances r SET status = 'failed', reason = f.reason, channel_id = NULL,
          channel_sequence = NULL, updated_at = ${at}
        FROM unnest(
          ${batch.failed.map((entry) => entry.issuanceId)}::text[],
          ${batch.failed.map((entry) => entry.reason)}::text[],
          ${batch.failed.map((entry) => entry.code)}::text[]
        ) AS f (id, reason, code)
        WHERE r.id = f.id AND r.status = 'submitted' AND r.channel_id = ${channelId}
          AND r.channel_sequence = ${batch.sequence}
        RETURNING r.id, r.campaign_id, r.amount_stroops, f.reason, f.code
      ), events AS (
        INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason, detail)
        SELECT id, ${at}, 'submitted', 'failed', reason, jsonb_build_object(
          'txHash', ${batch.hash}::text, 'ledger', ${batch.ledger}::bigint, 'resultCode', code)
        FROM failed
      )
      UPDATE campaigns c SET reserved_stroops = reserved_stroops - s.stroops, updated_at = ${at}
      FROM (SELECT campaign_id, sum(amount_stroops)::bigint AS stroops FROM failed GROUP BY campaign_id) s
      WHERE c.id = s.campaign_id`
  }
  yield* releaseRest(channelId, batch, `batch_failed:${batch.code}`, at)
  yield* recordApplied(channelId, batch, at)
}, Effect.orDie)
