/**
 * What a campaign says about recipients who cannot take a payment, and how much one wallet may get.
 *
 * - `on_missing_trustline`: end the reward, hold it, or leave it as a claimable balance that we may take back after
 *   `reclaim_after_s` seconds;
 * - `wallet_cap_stroops` for each `wallet_cap_period`: `campaign_wallet_usage` counts what is promised and paid, and
 *   its check constraint is what keeps the cap. The cap is copied into the row, because a check sees one row only;
 *   a campaign's cap never changes once it exists.
 *
 * An issuance carries what its end must give back (`cap_period_start`), the account behind a muxed address
 * (`wallet_account`), its priority, and how it is paid out.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    ALTER TABLE campaigns
      ADD COLUMN on_missing_trustline text NOT NULL DEFAULT 'fail'
        CHECK (on_missing_trustline IN ('fail', 'hold', 'claimable_balance')),
      ADD COLUMN reclaim_after_s bigint NOT NULL DEFAULT 2592000 CHECK (reclaim_after_s BETWEEN 60 AND 315360000),
      ADD COLUMN wallet_cap_stroops bigint CHECK (wallet_cap_stroops > 0),
      ADD COLUMN wallet_cap_period text CHECK (wallet_cap_period IN ('day', 'week', 'month', 'campaign')),
      ADD CONSTRAINT campaigns_cap_whole CHECK ((wallet_cap_stroops IS NULL) = (wallet_cap_period IS NULL))`
  yield* sql`
    CREATE TABLE campaign_wallet_usage (
      campaign_id text NOT NULL REFERENCES campaigns (id),
      wallet_account text NOT NULL,
      period_start timestamptz NOT NULL,
      cap_stroops bigint NOT NULL,
      used_stroops bigint NOT NULL CHECK (used_stroops >= 0),
      CONSTRAINT campaign_wallet_usage_key PRIMARY KEY (campaign_id, wallet_account, period_start),
      CONSTRAINT campaign_wallet_usage_cap_kept CHECK (used_stroops <= cap_stroops)
    )`
  yield* sql`COMMENT ON COLUMN campaign_wallet_usage.used_stroops IS
    'Promised and paid to this wallet in this period; the end of a reward that was not paid gives its part back'`
  yield* sql`
    ALTER TABLE reward_issuances
      ADD COLUMN wallet_account text,
      ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1 AND 1),
      ADD COLUMN cap_period_start timestamptz,
      ADD COLUMN payout text NOT NULL DEFAULT 'payment' CHECK (payout IN ('payment', 'claimable_balance')),
      ADD COLUMN held_check_at timestamptz`
  yield* sql`UPDATE reward_issuances SET wallet_account = wallet_address`
  yield* sql`ALTER TABLE reward_issuances ALTER COLUMN wallet_account SET NOT NULL`
  yield* sql`COMMENT ON COLUMN reward_issuances.wallet_account IS
    'The account that is paid, G...; wallet_address may be a muxed address (M...) of it'`
  yield* sql`COMMENT ON COLUMN reward_issuances.priority IS 'Among the rewards of one merchant: 1 before 0 before -1'`
  yield* sql`COMMENT ON COLUMN reward_issuances.held_check_at IS
    'When the ledger is asked again whether a held reward can be paid; null when only a person can say'`
  yield* sql`DROP INDEX reward_issuances_pending`
  yield* sql`
    CREATE INDEX reward_issuances_pending ON reward_issuances (mode, merchant_id, priority DESC, id)
    WHERE status = 'pending'`
  yield* sql`
    CREATE INDEX reward_issuances_waiting ON reward_issuances (campaign_id, status, id)
    WHERE status IN ('pending', 'held')`
  yield* sql`
    CREATE INDEX reward_issuances_held ON reward_issuances (held_check_at)
    WHERE status = 'held' AND held_check_at IS NOT NULL`
  yield* sql`
    CREATE TABLE claimable_balances (
      issuance_id text PRIMARY KEY REFERENCES reward_issuances (id),
      balance_id text NOT NULL UNIQUE CHECK (balance_id ~ '^[0-9a-f]{72}$'),
      reclaim_after timestamptz NOT NULL,
      status text NOT NULL CHECK (status IN ('open', 'claimed', 'reclaimed')),
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL
    )`
  yield* sql`COMMENT ON COLUMN claimable_balances.balance_id IS 'ClaimableBalanceID, hex XDR, as Horizon writes it'`
  yield* sql`CREATE INDEX claimable_balances_open ON claimable_balances (reclaim_after) WHERE status = 'open'`
})
