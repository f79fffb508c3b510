/**
 * What keeps channels working: quarantine, fee bumps, workers that share the pool, and transactions of our own that
 * pay nobody (channels created and topped up, claimable balances taken back).
 *
 * Invariant: at most one *inner* transaction at a (channel, sequence) may still apply; fee bumps are other envelopes
 * of that same inner transaction, so they may stand beside it.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE channel_accounts DROP CONSTRAINT channel_accounts_status_check`
  yield* sql`
    ALTER TABLE channel_accounts ADD CONSTRAINT channel_accounts_status_check
      CHECK (status IN ('open', 'quarantined', 'halted'))`
  yield* sql`COMMENT ON COLUMN channel_accounts.status IS
    'quarantined: the network refuses its transactions; its batch is released once it has provably expired. halted: what happened on the ledger is not understood; nothing is released until it is'`
  yield* sql`
    ALTER TABLE stellar_envelopes
      ADD COLUMN inner_hash text REFERENCES stellar_envelopes (hash),
      ADD COLUMN fee_charged_stroops bigint`
  yield* sql`COMMENT ON COLUMN stellar_envelopes.inner_hash IS 'Of a fee bump: the transaction that it wraps'`
  yield* sql`DROP INDEX stellar_envelopes_one_alive`
  yield* sql`
    CREATE UNIQUE INDEX stellar_envelopes_one_alive ON stellar_envelopes (channel_id, sequence)
    WHERE status = 'signed' AND inner_hash IS NULL`
  yield* sql`CREATE INDEX stellar_envelopes_ledger ON stellar_envelopes (ledger) WHERE status = 'applied'`
  yield* sql`
    CREATE TABLE issuance_workers (
      id text PRIMARY KEY,
      seen_at timestamptz NOT NULL
    )`
  yield* sql`
    CREATE TABLE upkeep_transactions (
      hash text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
      purpose text NOT NULL CHECK (purpose IN ('create_channels', 'top_up', 'reclaim')),
      sequence bigint NOT NULL,
      envelope_xdr text NOT NULL,
      subjects text[] NOT NULL,
      ledger_max bigint NOT NULL,
      status text NOT NULL CHECK (status IN ('signed', 'applied', 'failed', 'expired')),
      result_xdr text,
      ledger bigint,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL
    )`
  yield* sql`COMMENT ON TABLE upkeep_transactions IS
    'Transactions of the distribution account''s own sequence: they pay no reward'`
  yield* sql`COMMENT ON COLUMN upkeep_transactions.subjects IS
    'What operation i is about: a channel''s id, or the issuance whose balance is taken back'`
  yield* sql`
    CREATE UNIQUE INDEX upkeep_transactions_one_alive ON upkeep_transactions ((true)) WHERE status = 'signed'`
})
