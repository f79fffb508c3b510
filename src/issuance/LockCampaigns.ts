import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * Locks the campaigns of the batch in one order, so that two settlements that share campaigns cannot wait for each
 * other. NO KEY UPDATE lets accepts go on inserting rows that refer to them.
 */
export const lockCampaigns = Effect.fnUntraced(function* (channelId: number, sequence: bigint) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    SELECT id FROM campaigns WHERE id IN (
      SELECT campaign_id FROM reward_issuances
      WHERE status = 'submitted' AND channel_id = ${channelId} AND channel_sequence = ${sequence}
    ) ORDER BY id FOR NO KEY UPDATE`
})
