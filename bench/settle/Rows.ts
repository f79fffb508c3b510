/** Rows in bulk, as accepting leaves them: each reward with its event, and the campaign's budget promised. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export interface Shop {
  readonly merchantId: string
  readonly campaignId: string
}

/** Ids of 26 characters after the prefix, in Crockford's alphabet: digits alone are. */
const idOf = (prefix: string, number: number): string => `${prefix}_${String(number).padStart(26, "0")}`

const BUDGET_STROOPS = 1_000_000_000_0000000n

/** Merchant `number` with a campaign of its own. */
export const openShop = Effect.fn("bench.openShop")(function* (number: number, at: Date) {
  const sql = yield* SqlClient.SqlClient
  const shop: Shop = { merchantId: idOf("mer", number), campaignId: idOf("cmp", number) }
  yield* sql`INSERT INTO merchants (id, name, created_at) VALUES (${shop.merchantId}, ${`Shop ${number}`}, ${at})`
  yield* sql`
    INSERT INTO campaigns (id, merchant_id, mode, name, status, starts_at, budget_stroops, created_at, updated_at)
    VALUES (${shop.campaignId}, ${shop.merchantId}, 'test', 'Bench', 'active', ${at}, ${BUDGET_STROOPS}, ${at}, ${at})`
  return shop
})

/** Rewards go round the wallets, 0.01 to 0.25 units each. */
const rewardColumns = `
  'iss_' || lpad(n::text, 26, '0') AS id,
  wallets[1 + (n % cardinality(wallets))::int] AS wallet,
  100000 * (1 + n % 25) AS stroops`

export interface Queue {
  readonly shop: Shop
  readonly wallets: ReadonlyArray<string>
  /** Number of the first one; ids sort by it. */
  readonly first: number
  readonly count: number
}

/** Queues pending rewards, in one transaction: a worker sees all of them at once. */
export const queueRewards = Effect.fn("bench.queueRewards")(function* (queue: Queue, at: Date) {
  const sql = yield* SqlClient.SqlClient
  const { count, first, shop, wallets } = queue
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`
        WITH wanted AS (
          SELECT ${sql.literal(rewardColumns)}
          FROM generate_series(${first}::bigint, ${first + count - 1}::bigint) AS n, (SELECT ${wallets}::text[] AS wallets) AS w
        ), rewards AS (
          INSERT INTO reward_issuances (id, merchant_id, mode, idempotency_key, request_hash, campaign_id,
            wallet_address, wallet_account, amount_stroops, status, created_at, updated_at)
          SELECT id, ${shop.merchantId}, 'test', id, sha256(id::bytea), ${shop.campaignId}, wallet, wallet, stroops,
            'pending', ${at}, ${at}
          FROM wanted
          RETURNING id, amount_stroops
        ), events AS (
          INSERT INTO issuance_events (issuance_id, at, to_status) SELECT id, ${at}, 'pending' FROM rewards
        )
        UPDATE campaigns SET reserved_stroops = reserved_stroops + (SELECT sum(amount_stroops) FROM rewards)::bigint
        WHERE id = ${shop.campaignId}`
      // As a running database's own maintenance would have it by now.
      yield* sql`ANALYZE reward_issuances, issuance_events`
    }),
  )
})

/**
 * Rewards that ended long ago: of a hundred ninety-seven confirmed, two failed and one cancelled, each with its last
 * event. The checks of foreign keys are left out, since they would take most of the time and change nothing.
 */
export const writeHistory = Effect.fn("bench.writeHistory")(function* (queue: Queue, at: Date) {
  const sql = yield* SqlClient.SqlClient
  const { count, first, shop, wallets } = queue
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`SET LOCAL session_replication_role = replica`
      yield* sql`
        WITH ended AS (
          INSERT INTO reward_issuances (id, merchant_id, mode, idempotency_key, request_hash, campaign_id,
            wallet_address, wallet_account, amount_stroops, status, reason, tx_hash, ledger, operation_index,
            confirmed_at, attempts, created_at, updated_at)
          SELECT id, ${shop.merchantId}, 'test', id, sha256(id::bytea), ${shop.campaignId}, wallet, wallet, stroops,
            status,
            CASE WHEN status = 'failed' THEN 'no_trustline' END,
            CASE WHEN status = 'confirmed' THEN encode(sha256((n / 100)::text::bytea), 'hex') END,
            CASE WHEN status = 'confirmed' THEN n / 1000 END,
            CASE WHEN status = 'confirmed' THEN (n % 100)::int END,
            CASE WHEN status = 'confirmed' THEN ${at}::timestamptz END,
            1, ${at}, ${at}
          FROM (
            SELECT ${sql.literal(rewardColumns)}, n,
              CASE n % 100 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'failed' WHEN 2 THEN 'failed' ELSE 'confirmed' END AS status
            FROM generate_series(${first}::bigint, ${first + count - 1}::bigint) AS n, (SELECT ${wallets}::text[] AS wallets) AS w
          ) AS rewards
          RETURNING id, status
        )
        INSERT INTO issuance_events (issuance_id, at, from_status, to_status)
        SELECT id, ${at}, 'submitted', status FROM ended`
    }),
  )
})

/** What autovacuum would have done since, so that it does not begin in the middle of a measurement. */
export const tidyUp = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`VACUUM (ANALYZE) reward_issuances, issuance_events`,
)

/** Rewards of each state. */
export const countStates = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ status: string; count: number }>`
    SELECT status, count(*)::int AS count FROM reward_issuances GROUP BY status`
  return Object.fromEntries(rows.map(({ count, status }) => [status, count]))
}).pipe(Effect.orDie)

/** Whether rewards still wait or are in flight; both are answered by partial indexes. */
export const areUnsettled = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ unsettled: boolean }>`
    SELECT EXISTS (SELECT 1 FROM reward_issuances WHERE status = 'pending')
      OR EXISTS (SELECT 1 FROM reward_issuances WHERE status = 'submitted') AS unsettled`
  return row?.unsettled ?? true
}).pipe(Effect.orDie)
