/** Merchants and their API keys. A key is stored as its SHA-256 only: a dump of the database signs nobody in. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE merchants (
      id text PRIMARY KEY,
      name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
      created_at timestamptz NOT NULL
    )`
  yield* sql`
    CREATE TABLE api_keys (
      id text PRIMARY KEY,
      merchant_id text NOT NULL REFERENCES merchants (id),
      mode text NOT NULL CHECK (mode IN ('live', 'test')),
      key_hash bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
      hint text NOT NULL,
      created_at timestamptz NOT NULL,
      revoked_at timestamptz
    )`
  yield* sql`COMMENT ON COLUMN api_keys.hint IS 'The last four characters, so that a person can tell keys apart'`
  yield* sql`CREATE INDEX api_keys_merchant ON api_keys (merchant_id)`
})
