/**
 * Channel accounts, the envelopes signed for them, and the switch that pauses issuing.
 *
 * Invariant (docs/adr/0003-at-most-once.md): an envelope's row is committed before its first byte is sent, and a
 * sequence has at most one envelope that may still apply. `lease_token` is the fence: it grows with every change
 * of hands, and a write that does not carry the current token changes nothing.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE channel_accounts (
      id integer PRIMARY KEY CHECK (id >= 0),
      address text NOT NULL UNIQUE,
      status text NOT NULL CHECK (status IN ('open', 'halted')),
      status_reason text,
      sequence_signed bigint NOT NULL,
      sequence_claimed bigint NOT NULL,
      lease_owner text,
      lease_token bigint NOT NULL DEFAULT 0,
      lease_until timestamptz,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL,
      CONSTRAINT channel_accounts_claimed_first CHECK (sequence_signed <= sequence_claimed)
    )`
  yield* sql`COMMENT ON COLUMN channel_accounts.sequence_signed IS
    'The highest sequence ever signed for this channel; the ledger being above it means that this database is older than the ledger'`
  yield* sql`COMMENT ON COLUMN channel_accounts.sequence_claimed IS
    'The highest sequence that issuances were ever bound to: a sequence is claimed once, and never below it'`
  yield* sql`
    CREATE TABLE stellar_envelopes (
      hash text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
      channel_id integer NOT NULL REFERENCES channel_accounts (id),
      sequence bigint NOT NULL,
      envelope_xdr text NOT NULL,
      issuance_ids text[] NOT NULL CHECK (cardinality(issuance_ids) BETWEEN 1 AND 100),
      ledger_signed bigint NOT NULL,
      ledger_max bigint NOT NULL,
      fee_stroops_max bigint NOT NULL,
      status text NOT NULL CHECK (status IN ('signed', 'applied', 'expired')),
      result_xdr text,
      ledger bigint,
      sends integer NOT NULL DEFAULT 0,
      ledger_sent bigint,
      last_answer text,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL,
      CONSTRAINT stellar_envelopes_applied
        CHECK ((status = 'applied') = (result_xdr IS NOT NULL AND ledger IS NOT NULL))
    )`
  yield* sql`COMMENT ON COLUMN stellar_envelopes.issuance_ids IS 'In operation order: element i pays by operation i'`
  yield* sql`COMMENT ON COLUMN stellar_envelopes.ledger_signed IS
    'The newest ledger known at signing: the envelope can only apply after it'`
  yield* sql`COMMENT ON COLUMN stellar_envelopes.ledger_sent IS
    'The newest ledger known at the last sending: the same bytes are sent again once a ledger has passed without them'`
  yield* sql`COMMENT ON COLUMN stellar_envelopes.ledger_max IS
    'ledgerBounds.maxLedger, exclusive: the envelope cannot apply in this ledger or later'`
  yield* sql`
    CREATE UNIQUE INDEX stellar_envelopes_one_alive ON stellar_envelopes (channel_id, sequence)
    WHERE status = 'signed'`
  yield* sql`CREATE INDEX stellar_envelopes_sequence ON stellar_envelopes (channel_id, sequence)`
  yield* sql`
    ALTER TABLE reward_issuances ADD CONSTRAINT reward_issuances_channel
    FOREIGN KEY (channel_id) REFERENCES channel_accounts (id)`
  yield* sql`
    CREATE TABLE issuance_control (
      id integer PRIMARY KEY CHECK (id = 1),
      paused_at timestamptz,
      paused_reason text,
      CONSTRAINT issuance_control_reasoned CHECK ((paused_at IS NULL) = (paused_reason IS NULL))
    )`
  yield* sql`INSERT INTO issuance_control (id) VALUES (1)`
})
