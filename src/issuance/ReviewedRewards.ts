/**
 * Rewards that waited for a person, and wait for nothing any more: no open payment looks like them.
 *
 * Invariant: none of them is freed while an open payment looks like it, and none waits for ever without one. The first
 * is held by the lock of src/issuance/LookAlikes.ts; the second by the upkeep, which looks for them again and again,
 * whoever forgot them.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type Likeness, lockLookAlikes } from "./LookAlikes.ts"

/** Wallets with amounts that are looked at in one round. */
const ROUND_MAX = 200

/** Locks the campaigns of what waits there for a person, and of one more issuance, before any of their rows. */
export const lockCampaignsAlike = Effect.fn("ReviewedRewards.lockCampaigns")(function* (
  likenesses: ReadonlyArray<Likeness>,
  issuanceId: string | null,
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    SELECT id FROM campaigns WHERE id IN (
      SELECT campaign_id FROM reward_issuances WHERE id = ${issuanceId}::text
      UNION ALL
      SELECT campaign_id FROM reward_issuances
      WHERE status = 'held' AND reason = 'under_review' AND (wallet_account, amount_stroops) IN (
        SELECT * FROM unnest(${likenesses.map((one) => one.walletAccount)}::text[],
          ${likenesses.map((one) => one.amountStroops)}::bigint[]))
    ) ORDER BY id FOR NO KEY UPDATE`
})

/**
 * Frees what waits only for payments like these, where none of them is open: pending again, or held with its campaign
 * where that is paused. Belongs into a transaction. Answers with their ids.
 */
export const freeAlike = Effect.fn("ReviewedRewards.freeAlike")(function* (
  likenesses: ReadonlyArray<Likeness>,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* lockLookAlikes(likenesses)
  yield* lockCampaignsAlike(likenesses, null)
  const rows = yield* sql<{ id: string; status: string }>`
    WITH freed AS (
      UPDATE reward_issuances r SET status = CASE WHEN c.status = 'paused' THEN 'held' ELSE 'pending' END,
        reason = CASE WHEN c.status = 'paused' THEN 'campaign_paused' END, updated_at = ${at}
      FROM campaigns c
      WHERE c.id = r.campaign_id AND r.status = 'held' AND r.reason = 'under_review'
        AND (r.wallet_account, r.amount_stroops) IN (
          SELECT * FROM unnest(${likenesses.map((one) => one.walletAccount)}::text[],
            ${likenesses.map((one) => one.amountStroops)}::bigint[]))
        AND NOT EXISTS (
          SELECT 1 FROM unmatched_payments u WHERE u.resolved_at IS NULL
            AND u.wallet_account = r.wallet_account AND u.amount_stroops = r.amount_stroops)
      RETURNING r.id, r.status
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
      SELECT id, ${at}, 'held', 'pending', 'reviewed' FROM freed
    )
    SELECT id, status FROM freed ORDER BY id`
  const paused = rows.filter(({ status }) => status === "held").map(({ id }) => id)
  yield* sql`
    INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
    SELECT unnest(${paused}::text[]), ${at}, 'pending', 'held', 'campaign_paused'`
  return rows.map(({ id }) => id)
}, Effect.orDie)

/** Looks for rewards that wait for no open payment, and frees them; answers with how many. */
export const freeReviewedRewards = Effect.fn("ReviewedRewards.free")(function* () {
  const sql = yield* SqlClient.SqlClient
  const forgotten = yield* sql<Likeness>`
    SELECT DISTINCT r.wallet_account AS "walletAccount", r.amount_stroops AS "amountStroops"
    FROM reward_issuances r
    WHERE r.status = 'held' AND r.reason = 'under_review' AND NOT EXISTS (
      SELECT 1 FROM unmatched_payments u
      WHERE u.resolved_at IS NULL AND u.wallet_account = r.wallet_account AND u.amount_stroops = r.amount_stroops)
    LIMIT ${ROUND_MAX}`
  if (forgotten.length === 0) return 0
  const freed = yield* sql.withTransaction(freeAlike(forgotten))
  if (freed.length > 0) {
    yield* Effect.logInfo(`${freed.length} rewards waited for a review that is over; they go on`)
  }
  return freed.length
}, Effect.orDie)
