/**
 * What was signed away on each day (UTC), in stroops of the asset. The check constraint is what keeps the daily cap,
 * whatever the signer's callers do; the cap of the day is copied into its row.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE signing_days (
      day date PRIMARY KEY,
      signed_stroops bigint NOT NULL CHECK (signed_stroops >= 0),
      cap_stroops bigint NOT NULL,
      CONSTRAINT signing_days_cap_kept CHECK (signed_stroops <= cap_stroops)
    )`
})
