import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { BoundReward } from "./BatchPayment.ts"

/** What is bound to a channel's sequence, in the order of the ids. */
export const boundRewards = Effect.fn("Batches.bound")(function* (channelId: number, sequence: bigint) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<BoundReward>`
    SELECT r.id AS "issuanceId", r.wallet_address AS "walletAddress", r.wallet_account AS "walletAccount",
      r.amount_stroops AS "amountStroops", r.payout, c.on_missing_trustline AS policy,
      c.reclaim_after_s::int AS "reclaimAfterSeconds"
    FROM reward_issuances r JOIN campaigns c ON c.id = r.campaign_id
    WHERE r.status = 'submitted' AND r.channel_id = ${channelId} AND r.channel_sequence = ${sequence}
    ORDER BY r.id`
}, Effect.orDie)
