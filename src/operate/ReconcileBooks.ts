/**
 * The database against itself: budgets and caps against the rows that they count, history against where rows stand,
 * proofs against the envelopes that they name. Each check is one statement, so it sees one moment, and what is being
 * settled beside it is no difference.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { formatAmount } from "../kernel/Amount.ts"

export interface Difference {
  readonly kind:
    | "payment_without_row"
    | "row_without_payment"
    | "row_differs"
    | "payment_unmatched"
    | "budget"
    | "wallet_usage"
    | "history"
    | "proof"
    | "key_repeated"
  /** What it is about: a payment as "hash:index", an issuance, a campaign. */
  readonly subject: string
  /** What the first side says: the ledger, or what the rows add up to. */
  readonly expected: string
  /** What the second side says: the database, or its sum. */
  readonly found: string
}

/** Differences of one kind that are read at most. */
const LIMIT = 1_000

const budgets = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{
    id: string
    reserved_stroops: bigint
    spent_stroops: bigint
    reserved: bigint
    spent: bigint
  }>`
    SELECT c.id, c.reserved_stroops, c.spent_stroops, coalesce(r.reserved, 0)::bigint AS reserved,
      coalesce(r.spent, 0)::bigint AS spent
    FROM campaigns c LEFT JOIN (
      SELECT i.campaign_id,
        sum(i.amount_stroops) FILTER (WHERE i.status IN ('pending', 'submitted', 'held')) AS reserved,
        sum(i.amount_stroops) FILTER (WHERE i.status = 'confirmed' AND b.status IS DISTINCT FROM 'reclaimed') AS spent
      FROM reward_issuances i LEFT JOIN claimable_balances b ON b.issuance_id = i.id
      GROUP BY i.campaign_id
    ) r ON r.campaign_id = c.id
    WHERE (c.reserved_stroops, c.spent_stroops) IS DISTINCT FROM (coalesce(r.reserved, 0), coalesce(r.spent, 0))
    ORDER BY c.id LIMIT ${LIMIT}`
  const both = (reserved: bigint, spent: bigint) =>
    `reserved ${formatAmount(reserved)}, spent ${formatAmount(spent)}`
  return rows.map(
    (row): Difference => ({
      kind: "budget",
      subject: row.id,
      expected: both(row.reserved, row.spent),
      found: both(row.reserved_stroops, row.spent_stroops),
    }),
  )
})

const usage = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{
    campaign_id: string
    wallet_account: string
    period_start: Date
    used: bigint
    counted: bigint
  }>`
    SELECT campaign_id, wallet_account, period_start, coalesce(u.used_stroops, 0) AS used,
      coalesce(r.counted, 0)::bigint AS counted
    FROM campaign_wallet_usage u FULL JOIN (
      SELECT campaign_id, wallet_account, cap_period_start AS period_start, sum(amount_stroops) AS counted
      FROM reward_issuances
      WHERE cap_period_start IS NOT NULL AND status IN ('pending', 'submitted', 'held', 'confirmed') GROUP BY 1, 2, 3
    ) r USING (campaign_id, wallet_account, period_start)
    WHERE coalesce(u.used_stroops, 0) <> coalesce(r.counted, 0) ORDER BY 1, 2, 3 LIMIT ${LIMIT}`
  return rows.map(
    (row): Difference => ({
      kind: "wallet_usage",
      subject: `${row.campaign_id} ${row.wallet_account} from ${row.period_start.toISOString()}`,
      expected: formatAmount(row.counted),
      found: formatAmount(row.used),
    }),
  )
})

const history = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: string; status: string; last: string | null }>`
    SELECT r.id, r.status, e.to_status AS last FROM reward_issuances r LEFT JOIN LATERAL (
      SELECT to_status FROM issuance_events WHERE issuance_id = r.id ORDER BY id DESC LIMIT 1
    ) e ON true
    WHERE r.status IS DISTINCT FROM e.to_status ORDER BY r.id LIMIT ${LIMIT}`
  return rows.map(
    (row): Difference => ({
      kind: "history",
      subject: row.id,
      expected: row.last === null ? "no history" : `its history ends at ${row.last}`,
      found: row.status,
    }),
  )
})

/** Confirmed rows whose proof is neither an applied envelope of that ledger nor a payment matched by hand. */
const proofs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: string; tx_hash: string; ledger: bigint; applied: bigint | null }>`
    SELECT r.id, r.tx_hash, r.ledger, e.ledger AS applied FROM reward_issuances r
    LEFT JOIN stellar_envelopes e ON e.hash = r.tx_hash AND e.status = 'applied'
    WHERE r.status = 'confirmed' AND e.ledger IS DISTINCT FROM r.ledger AND NOT EXISTS (
      SELECT 1 FROM unmatched_payments u WHERE u.issuance_id = r.id AND u.tx_hash = r.tx_hash
        AND u.operation_index = r.operation_index AND u.ledger = r.ledger)
    ORDER BY r.id LIMIT ${LIMIT}`
  return rows.map(
    (row): Difference => ({
      kind: "proof",
      subject: row.id,
      expected:
        row.applied === null
          ? `no envelope ${row.tx_hash} has applied`
          : `envelope ${row.tx_hash} applied in ledger ${row.applied}`,
      found: `confirmed in ledger ${row.ledger}`,
    }),
  )
})

/** The constraint says it too; an index that a disk has damaged would not. */
const keys = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ merchant_id: string; mode: string; idempotency_key: string; count: number }>`
    SELECT merchant_id, mode, idempotency_key, count(*)::int AS count FROM reward_issuances
    GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY 1, 2, 3 LIMIT ${LIMIT}`
  return rows.map(
    (row): Difference => ({
      kind: "key_repeated",
      subject: `${row.merchant_id} ${row.mode} ${row.idempotency_key}`,
      expected: "1 row",
      found: `${row.count} rows`,
    }),
  )
})

/** What the database says against itself. */
export const reconcileBooks = Effect.fn("ReconcileBooks.reconcileBooks")(function* () {
  const found = yield* Effect.all([budgets, usage, history, proofs, keys])
  return found.flat()
}, Effect.orDie)
