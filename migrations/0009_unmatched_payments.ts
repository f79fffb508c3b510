/**
 * Payments on the ledger that `nova recover` could match with no row: the database lost what they paid. While one is
 * unresolved, no reward of the same amount to the same account is paid: it could be that one.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE unmatched_payments (
      tx_hash text NOT NULL CHECK (tx_hash ~ '^[0-9a-f]{64}$'),
      operation_index integer NOT NULL,
      ledger bigint NOT NULL,
      channel_id integer NOT NULL REFERENCES channel_accounts (id),
      sequence bigint NOT NULL,
      wallet_account text NOT NULL,
      wallet_address text NOT NULL,
      amount_stroops bigint NOT NULL,
      found_at timestamptz NOT NULL,
      resolved_at timestamptz,
      resolution text CHECK (resolution IN ('matched', 'dismissed')),
      issuance_id text REFERENCES reward_issuances (id),
      CONSTRAINT unmatched_payments_key PRIMARY KEY (tx_hash, operation_index),
      CONSTRAINT unmatched_payments_resolved CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
      CONSTRAINT unmatched_payments_matched CHECK ((resolution = 'matched') = (issuance_id IS NOT NULL))
    )`
  yield* sql`
    CREATE INDEX unmatched_payments_open ON unmatched_payments (wallet_account, amount_stroops)
    WHERE resolved_at IS NULL`
})
