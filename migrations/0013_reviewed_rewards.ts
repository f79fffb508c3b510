/** Rewards that wait for a person: looked for again and again, so that none waits when nothing is left to decide. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE INDEX reward_issuances_under_review ON reward_issuances (wallet_account, amount_stroops)
    WHERE status = 'held' AND reason = 'under_review'`
})
