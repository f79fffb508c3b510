/**
 * A reward that ended here gave its amount back: to its campaign's budget, and to its wallet's cap. Where the ledger has
 * paid it all the same, both are taken again before it is confirmed.
 *
 * Invariant: the books say what was paid. So where the amount has been promised to somebody else meanwhile, the budget
 * and the cap grow by what is missing, and the history of the reward says by how much: the money is gone.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"

export interface PromisedAgain {
  readonly campaignId: string
  /** By how much the campaign's budget had to grow, stroops. */
  readonly budgetRaisedStroops: bigint
}

/** Belongs into a transaction that holds the lock of the reward's campaign, and then of the reward, which has ended. */
export const promiseAgain = Effect.fn("PromiseAgain.promiseAgain")(function* (issuanceId: string) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  // The check constraint sees the new row before it is added to the old one; hence the cap of the first.
  yield* sql`
    INSERT INTO campaign_wallet_usage AS u (campaign_id, wallet_account, period_start, cap_stroops, used_stroops)
    SELECT r.campaign_id, r.wallet_account, r.cap_period_start,
      greatest(coalesce(c.wallet_cap_stroops, 0), r.amount_stroops), r.amount_stroops
    FROM reward_issuances r JOIN campaigns c ON c.id = r.campaign_id
    WHERE r.id = ${issuanceId} AND r.cap_period_start IS NOT NULL
    ON CONFLICT ON CONSTRAINT campaign_wallet_usage_key DO UPDATE SET
      used_stroops = u.used_stroops + EXCLUDED.used_stroops,
      cap_stroops = greatest(u.cap_stroops, u.used_stroops + EXCLUDED.used_stroops)`
  const [promised] = yield* sql<PromisedAgain>`
    WITH asked AS (
      SELECT c.id, r.amount_stroops,
        greatest(0, c.spent_stroops + c.reserved_stroops + r.amount_stroops - c.budget_stroops) AS missing
      FROM reward_issuances r JOIN campaigns c ON c.id = r.campaign_id WHERE r.id = ${issuanceId}
    )
    UPDATE campaigns c SET reserved_stroops = reserved_stroops + asked.amount_stroops,
      budget_stroops = budget_stroops + asked.missing, updated_at = ${at}
    FROM asked WHERE c.id = asked.id
    RETURNING c.id AS "campaignId", asked.missing::bigint AS "budgetRaisedStroops"`
  return yield* Effect.fromNullishOr(promised)
}, Effect.orDie)
