/**
 * Issuances: one row for each accepted reward, and its append-only history.
 *
 * What the database itself holds, whatever the code does:
 * - one idempotency key, one issuance (`reward_issuances_key`);
 * - a campaign of another merchant or mode cannot be charged (`reward_issuances_campaign`);
 * - one ledger operation pays one issuance (`reward_issuances_operation`);
 * - a state carries what it claims: `submitted` its (channel, sequence), `confirmed` its proof, `failed` and
 *   `held` their reason;
 * - history is never edited.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE reward_issuances (
      id text PRIMARY KEY,
      merchant_id text NOT NULL REFERENCES merchants (id),
      mode text NOT NULL CHECK (mode IN ('live', 'test')),
      idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
      request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
      campaign_id text NOT NULL,
      user_id text,
      wallet_address text NOT NULL,
      amount_stroops bigint NOT NULL CHECK (amount_stroops > 0),
      status text NOT NULL
        CHECK (status IN ('pending', 'submitted', 'confirmed', 'failed', 'held', 'cancelled')),
      reason text,
      channel_id integer,
      channel_sequence bigint,
      tx_hash text CHECK (tx_hash ~ '^[0-9a-f]{64}$'),
      ledger bigint,
      operation_index integer,
      attempts integer NOT NULL DEFAULT 0,
      trace_context text,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL,
      confirmed_at timestamptz,
      CONSTRAINT reward_issuances_key UNIQUE (merchant_id, mode, idempotency_key),
      CONSTRAINT reward_issuances_campaign
        FOREIGN KEY (campaign_id, merchant_id, mode) REFERENCES campaigns (id, merchant_id, mode),
      CONSTRAINT reward_issuances_user
        FOREIGN KEY (user_id, merchant_id, mode) REFERENCES users (id, merchant_id, mode),
      CONSTRAINT reward_issuances_operation UNIQUE (tx_hash, operation_index),
      CONSTRAINT reward_issuances_bound
        CHECK ((status = 'submitted') = (channel_id IS NOT NULL) AND (channel_id IS NULL) = (channel_sequence IS NULL)),
      CONSTRAINT reward_issuances_proven
        CHECK ((status = 'confirmed')
          = (tx_hash IS NOT NULL AND ledger IS NOT NULL AND operation_index IS NOT NULL AND confirmed_at IS NOT NULL)),
      CONSTRAINT reward_issuances_reasoned CHECK (status NOT IN ('failed', 'held') OR reason IS NOT NULL)
    )`
  yield* sql`CREATE INDEX reward_issuances_pending ON reward_issuances (id) WHERE status = 'pending'`
  yield* sql`
    CREATE INDEX reward_issuances_submitted ON reward_issuances (channel_id, channel_sequence)
    WHERE status = 'submitted'`
  yield* sql`CREATE INDEX reward_issuances_merchant ON reward_issuances (merchant_id, mode, id)`
  yield* sql`CREATE INDEX reward_issuances_of_campaign ON reward_issuances (campaign_id, id)`
  yield* sql`CREATE INDEX reward_issuances_wallet ON reward_issuances (merchant_id, mode, wallet_address, id)`
  yield* sql`
    CREATE TABLE issuance_events (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      issuance_id text NOT NULL REFERENCES reward_issuances (id),
      at timestamptz NOT NULL,
      from_status text,
      to_status text NOT NULL,
      reason text,
      detail jsonb
    )`
  yield* sql`CREATE INDEX issuance_events_issuance ON issuance_events (issuance_id, id)`
  yield* sql`
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
    END $$`
  yield* sql`
    CREATE TRIGGER issuance_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issuance_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`
})
