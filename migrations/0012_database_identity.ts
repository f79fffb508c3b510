/**
 * What tells that this database is not the one that issued before, and what is known of sequences that were not signed
 * here.
 *
 * - `issuance_control.database_identity`: a restored dump or a promoted replica has another one, and may lack envelopes
 *   that are still on their way; until `claims_after_ledger` none of them can apply any more, and nothing is bound.
 * - `channel_accounts.sequence_understood`: where the channel stood when it was taken out of use for what somebody else
 *   did with it. A ledger above it, and above what was signed here, means that this database is older than the ledger.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    ALTER TABLE issuance_control
      ADD COLUMN database_identity text,
      ADD COLUMN claims_after_ledger bigint NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE channel_accounts ADD COLUMN sequence_understood bigint NOT NULL DEFAULT 0`
})
