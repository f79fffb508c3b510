/**
 * Which network this database belongs to. The programs refuse to issue on another one, or on the same one after a
 * reset: every paid reward would look unpaid there.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE network_identity (
      id integer PRIMARY KEY CHECK (id = 1),
      passphrase text NOT NULL,
      asset_code text NOT NULL,
      asset_issuer text NOT NULL,
      first_ledger bigint NOT NULL,
      first_ledger_hash text NOT NULL,
      known_ledger bigint NOT NULL,
      known_ledger_hash text NOT NULL,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL
    )`
  yield* sql`COMMENT ON COLUMN network_identity.known_ledger IS
    'The newest ledger seen, with its hash: a network whose latest ledger is older, or whose ledger at this height has another hash, is not ours'`
})
