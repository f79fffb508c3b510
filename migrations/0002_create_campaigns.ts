/**
 * Campaigns and their budgets, in stroops. `reserved` is promised to accepted issuances, `spent` has been paid;
 * the check constraint is what keeps a budget: no code path can promise more than there is.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE campaigns (
      id text PRIMARY KEY,
      merchant_id text NOT NULL REFERENCES merchants (id),
      mode text NOT NULL CHECK (mode IN ('live', 'test')),
      name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
      status text NOT NULL CHECK (status IN ('active', 'paused', 'ended')),
      starts_at timestamptz NOT NULL,
      ends_at timestamptz,
      budget_stroops bigint NOT NULL CHECK (budget_stroops > 0),
      reserved_stroops bigint NOT NULL DEFAULT 0 CHECK (reserved_stroops >= 0),
      spent_stroops bigint NOT NULL DEFAULT 0 CHECK (spent_stroops >= 0),
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL,
      CONSTRAINT campaigns_dates CHECK (ends_at IS NULL OR ends_at > starts_at),
      CONSTRAINT campaigns_budget_kept CHECK (spent_stroops <= budget_stroops - reserved_stroops),
      CONSTRAINT campaigns_owner UNIQUE (id, merchant_id, mode)
    )`
  yield* sql`CREATE INDEX campaigns_merchant ON campaigns (merchant_id, mode, id)`
})
