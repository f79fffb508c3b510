/**
 * Rewards that look like a payment which the database lost: the same wallet, the same amount (src/operate/Review.ts).
 *
 * Invariant: whether a reward waits for such a payment, and whether one is open, is decided under one lock for each
 * wallet and amount. How it would break: two people who resolve two alike payments at once, each of whom still sees the
 * other's as open; or a worker that holds a reward for a payment that has just been resolved. Nobody would free the
 * reward again.
 *
 * The lock comes after the channel's fence and before campaigns.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** What rewards and payments have in common that look alike. */
export interface Likeness {
  /** G... */
  readonly walletAccount: string
  readonly amountStroops: bigint
}

/** Whoever looks at, or decides about, rewards and payments like these waits until the caller's transaction ends. */
export const lockLookAlikes = Effect.fn("LookAlikes.lock")(function* (likenesses: ReadonlyArray<Likeness>) {
  const sql = yield* SqlClient.SqlClient
  // In one order; and a statement of its own, so that the next one sees what was decided meanwhile.
  yield* sql`
    SELECT pg_advisory_xact_lock(place) FROM (
      SELECT DISTINCT hashtextextended(account || ' ' || stroops, 0) AS place
      FROM unnest(${likenesses.map((one) => one.walletAccount)}::text[],
        ${likenesses.map((one) => one.amountStroops)}::bigint[]) AS l (account, stroops)
      ORDER BY place) places`
})

/** Of these rewards, those that look like an open payment; both stay as they are until the caller's transaction ends. */
export const stillAlike = Effect.fn("LookAlikes.stillAlike")(function* (issuanceIds: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  yield* lockLookAlikes(
    yield* sql<Likeness>`
      SELECT wallet_account AS "walletAccount", amount_stroops AS "amountStroops" FROM reward_issuances
      WHERE id = ANY(${issuanceIds}::text[])`,
  )
  const rows = yield* sql<{ id: string }>`
    SELECT r.id FROM reward_issuances r WHERE r.id = ANY(${issuanceIds}::text[]) AND EXISTS (
      SELECT 1 FROM unmatched_payments u
      WHERE u.resolved_at IS NULL AND u.wallet_account = r.wallet_account AND u.amount_stroops = r.amount_stroops)`
  return new Set(rows.map(({ id }) => id)) as ReadonlySet<string>
})
