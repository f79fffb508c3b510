/** Of an unmatched payment that was a claimable balance: what its reward's row needs to take it back later. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    ALTER TABLE unmatched_payments
      ADD COLUMN balance_id text CHECK (balance_id ~ '^[0-9a-f]{72}$'),
      ADD COLUMN reclaim_after timestamptz`
  yield* sql`COMMENT ON COLUMN unmatched_payments.balance_id IS
    'ClaimableBalanceID, hex XDR; null for a plain payment'`
})
