/** The people whom a merchant rewards, under the merchant's own name for them. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE users (
      id text PRIMARY KEY,
      merchant_id text NOT NULL REFERENCES merchants (id),
      mode text NOT NULL CHECK (mode IN ('live', 'test')),
      external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 128),
      created_at timestamptz NOT NULL,
      CONSTRAINT users_external_id UNIQUE (merchant_id, mode, external_id),
      CONSTRAINT users_owner UNIQUE (id, merchant_id, mode)
    )`
})
