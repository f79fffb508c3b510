/**
 * The claimable balances that rewards were left as, in the database: which are due to be taken back, and their end.
 *
 * Invariant: a balance ends once, as `claimed` or `reclaimed`; only a reclaimed one gives its amount back to the
 * campaign's budget, in the same transaction. How it would break: calling a balance claimed because it is gone while
 * a transaction of ours that takes it back may have been what took it; so `recordClaimed` demands that none may.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"

export interface DueBalance {
  readonly issuanceId: string
  /** ClaimableBalanceID, hex XDR. */
  readonly balanceId: string
  /** The ledger that made it: an answer about an earlier one says nothing of it. */
  readonly ledgerMade: number
}

/** Open ones whose reclaim time is before `dueBefore`, oldest first. */
export const dueBalances = Effect.fn("ClaimableBalanceRows.due")(function* (dueBefore: Date, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ issuance_id: string; balance_id: string; ledger: bigint }>`
    SELECT b.issuance_id, b.balance_id, r.ledger FROM claimable_balances b
    JOIN reward_issuances r ON r.id = b.issuance_id
    WHERE b.status = 'open' AND b.reclaim_after < ${dueBefore} ORDER BY b.reclaim_after, b.issuance_id
    LIMIT ${limit}`
  return rows.map(
    (row): DueBalance => ({
      issuanceId: row.issuance_id,
      balanceId: row.balance_id,
      ledgerMade: Number(row.ledger),
    }),
  )
}, Effect.orDie)

/**
 * The balances of these issuances are ours again: budgets are left again, and their timelines say so. Belongs into
 * the transaction that ends the upkeep transaction which took them.
 */
export const recordReclaimed = Effect.fn("ClaimableBalanceRows.reclaimed")(function* (
  issuanceIds: ReadonlyArray<string>,
  proof: { readonly txHash: string; readonly ledger: number },
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* sql`
    SELECT id FROM campaigns WHERE id IN (
      SELECT campaign_id FROM reward_issuances WHERE id = ANY(${issuanceIds}::text[])
    ) ORDER BY id FOR NO KEY UPDATE`
  yield* sql`
    WITH reclaimed AS (
      UPDATE claimable_balances SET status = 'reclaimed', updated_at = ${at}
      WHERE issuance_id = ANY(${issuanceIds}::text[]) AND status = 'open'
      RETURNING issuance_id
    ), rewards AS (
      SELECT r.id, r.campaign_id, r.amount_stroops FROM reward_issuances r
      JOIN reclaimed ON reclaimed.issuance_id = r.id
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason, detail)
      SELECT id, ${at}, 'confirmed', 'confirmed', 'reclaimed',
        jsonb_build_object('txHash', ${proof.txHash}::text, 'ledger', ${proof.ledger}::bigint)
      FROM rewards
    )
    UPDATE campaigns c SET spent_stroops = spent_stroops - s.stroops, updated_at = ${at}
    FROM (SELECT campaign_id, sum(amount_stroops)::bigint AS stroops FROM rewards GROUP BY campaign_id) s
    WHERE c.id = s.campaign_id`
})

/** These are gone from the ledger; whoever took them, no transaction of ours did. Answers with how many ended now. */
export const recordClaimed = Effect.fn("ClaimableBalanceRows.claimed")(function* (
  issuanceIds: ReadonlyArray<string>,
) {
  if (issuanceIds.length === 0) return 0
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  const ended = yield* sql`
    UPDATE claimable_balances b SET status = 'claimed', updated_at = ${at}
    WHERE issuance_id = ANY(${issuanceIds}::text[]) AND status = 'open' AND NOT EXISTS (
      SELECT 1 FROM upkeep_transactions u
      WHERE u.purpose = 'reclaim' AND u.status IN ('signed', 'applied') AND b.issuance_id = ANY(u.subjects))
    RETURNING issuance_id`
  return ended.length
}, Effect.orDie)

/** How many there are in each state. */
export const countBalances = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ status: "open" | "claimed" | "reclaimed"; count: number }>`
    SELECT status, count(*)::int AS count FROM claimable_balances GROUP BY status`
  return new Map(rows.map(({ count, status }) => [status, count]))
}).pipe(Effect.orDie, Effect.withSpan("ClaimableBalanceRows.count"))
