/**
 * Binding pending rewards to a channel's next sequence.
 *
 * Invariants, and how they would break:
 * - A sequence takes rewards only while nothing that may apply is signed at it, and the one below was signed here:
 *   otherwise an answer from the past, or a database older than the ledger, could bind to a consumed sequence.
 * - What is bound never exceeds what the treasury holds, less what is bound already: two claims that do not see each
 *   other would promise the same money twice, so they come one after the other (the lock on `issuance_control`). A
 *   balance that was read before a payment that is settled by now would count it twice, so it must not be older.
 * - Locks are taken in the order channel, campaigns, control: a claim, which has the lock on control already, waits for
 *   no channel. One that another transaction holds is another worker's by now, and is left alone.
 * - Merchants take turns: the n-th reward of each comes before the (n+1)-th of any, those in flight counted; without
 *   them each batch would begin with the same merchants again.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { mayClaim } from "./DatabaseIdentity.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import type { Lease } from "./Lease.ts"

export interface ClaimTerms {
  /** The channel's next sequence on the ledger. */
  readonly sequence: bigint
  /** Rewards that the batch may have in all. */
  readonly paymentsMax: number
  /** What the distribution account holds of the asset, stroops, and the ledger that says so. */
  readonly treasuryStroops: bigint
  readonly treasuryLedger: number
  /** Rewards that may be in flight at once, of all channels: what a ledger holds. */
  readonly inFlightMax: number
}

/**
 * A batch that was signed so many ledgers ago and is not settled is stuck: it takes no place in the next ledger, so it
 * keeps no other batch out of it.
 */
const STUCK_LEDGERS = 3

/** Rows that are looked at for one batch, over all merchants; each merchant gives an equal part, and two at least. */
const CANDIDATES = 1_000

/** What is bound now, the room that is left for this batch, and what the treasury has left. */
const booksOf = (sql: SqlClient.SqlClient, lease: Lease, terms: ClaimTerms) => {
  const { inFlightMax, paymentsMax, sequence, treasuryLedger, treasuryStroops } = terms
  return sql`
    batches AS (
      SELECT channel_id, channel_sequence, count(*)::int AS rewards, sum(amount_stroops) AS stroops, EXISTS (
          SELECT 1 FROM stellar_envelopes e
          WHERE e.channel_id = r.channel_id AND e.sequence = r.channel_sequence
            AND e.ledger_signed + ${STUCK_LEDGERS} < ${treasuryLedger}) AS is_stuck
      FROM reward_issuances r WHERE status = 'submitted' GROUP BY channel_id, channel_sequence
    ), books AS (
      SELECT ${treasuryStroops}::bigint - coalesce(sum(stroops), 0)::bigint AS free_stroops,
        least(
          ${paymentsMax}::int - coalesce(sum(rewards) FILTER (
            WHERE channel_id = ${lease.channelId} AND channel_sequence = ${sequence}), 0),
          ${inFlightMax}::int - coalesce(sum(rewards) FILTER (WHERE NOT is_stuck), 0))::int AS room,
        coalesce(bool_and(channel_sequence = ${sequence}) FILTER (WHERE channel_id = ${lease.channelId}), true)
          AND coalesce((SELECT max(ledger) FROM stellar_envelopes WHERE status = 'applied'), 0) <= ${treasuryLedger}
          AS is_fit
      FROM batches
    )`
}

/** Pending rewards in the order of their turns, with the sum up to each. */
const queueOf = (sql: SqlClient.SqlClient, mode: string, paymentsMax: number) => sql`
    merchant AS (
      SELECT (SELECT merchant_id FROM reward_issuances WHERE status = 'pending' AND mode = ${mode}
              ORDER BY merchant_id LIMIT 1) AS id
      UNION ALL
      SELECT (SELECT merchant_id FROM reward_issuances WHERE status = 'pending' AND mode = ${mode}
                AND merchant_id > merchant.id ORDER BY merchant_id LIMIT 1)
      FROM merchant WHERE merchant.id IS NOT NULL
    ), flying AS (
      SELECT merchant_id, count(*) AS rewards FROM reward_issuances WHERE status = 'submitted' GROUP BY merchant_id
    ), candidate AS (
      SELECT q.id, q.amount_stroops, coalesce(flying.rewards, 0)
        + row_number() OVER (PARTITION BY merchant.id ORDER BY q.priority DESC, q.id) AS turn
      FROM merchant LEFT JOIN flying ON flying.merchant_id = merchant.id CROSS JOIN LATERAL (
        SELECT id, amount_stroops, priority FROM reward_issuances r
        WHERE r.status = 'pending' AND r.mode = ${mode} AND r.merchant_id = merchant.id
        ORDER BY r.priority DESC, r.id
        LIMIT greatest(2, least(${paymentsMax}::int, ${CANDIDATES}::int / (SELECT count(*) FROM merchant)))
      ) q
      WHERE merchant.id IS NOT NULL
    ), queue AS (
      SELECT id, turn, sum(amount_stroops) OVER (ORDER BY turn, id) AS total_stroops
      FROM candidate WHERE amount_stroops <= (SELECT free_stroops FROM books)
    )`

/**
 * How many rewards were bound now; `unfit` where some could have been, but not by this channel: it is another worker's by
 * now, or what was read of it is older than what is known.
 */
export type Claimed = number | "unfit"

/** Belongs into a transaction. */
export const claimRewards = Effect.fn("Batches.claim")(function* (lease: Lease, terms: ClaimTerms) {
  const sql = yield* SqlClient.SqlClient
  const { mode } = yield* IssuanceSettings
  const { paymentsMax, sequence, treasuryLedger } = terms
  const at = new Date(yield* Clock.currentTimeMillis)
  // A statement of its own: the next one must see what the claim before this one has bound.
  if (!(yield* mayClaim(treasuryLedger))) return 0
  const [claimed] = yield* sql<{ bound: number; is_unfit: boolean }>`
    WITH RECURSIVE ${booksOf(sql, lease, terms)}, ${queueOf(sql, mode, paymentsMax)}, batch AS (
      SELECT id FROM reward_issuances
      WHERE status = 'pending' AND id IN (
        SELECT id FROM queue WHERE total_stroops <= (SELECT free_stroops FROM books)
        ORDER BY turn, id LIMIT (SELECT greatest(0, room) FROM books)
      )
      FOR UPDATE SKIP LOCKED
    ), channel AS (
      SELECT id FROM channel_accounts
      WHERE id = ${lease.channelId} AND lease_owner = ${lease.owner} AND lease_token = ${lease.token}
        AND status = 'open' AND sequence_claimed <= ${sequence}
        AND (greatest(sequence_signed, sequence_understood) = ${sequence - 1n} OR sequence_signed = ${sequence} AND NOT EXISTS (
          SELECT 1 FROM stellar_envelopes
          WHERE channel_id = ${lease.channelId} AND sequence = ${sequence} AND status <> 'expired'))
        AND (SELECT is_fit FROM books) AND EXISTS (SELECT 1 FROM batch)
      FOR UPDATE SKIP LOCKED
    ), claimed AS (
      UPDATE channel_accounts SET sequence_claimed = ${sequence}, updated_at = ${at}
      WHERE id = (SELECT id FROM channel)
      RETURNING id
    ), bound AS (
      UPDATE reward_issuances r SET status = 'submitted', channel_id = ${lease.channelId},
        channel_sequence = ${sequence}, attempts = attempts + 1, updated_at = ${at}
      FROM batch, claimed WHERE r.id = batch.id
      RETURNING r.id
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, detail)
      SELECT id, ${at}, 'pending', 'submitted',
        jsonb_build_object('channel', ${lease.channelId}::int, 'sequence', ${sequence}::text)
      FROM bound
    )
    SELECT (SELECT count(*)::int FROM bound) AS bound,
      EXISTS (SELECT 1 FROM batch) AND NOT EXISTS (SELECT 1 FROM claimed) AS is_unfit`
  const answer: Claimed = claimed?.is_unfit === true ? "unfit" : (claimed?.bound ?? 0)
  return answer
})
