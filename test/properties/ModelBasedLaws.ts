/**
 * Invariants I1 to I5 of the design, in the model-based test: after every move, in flight or not.
 */
import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { historyHolds, issuances } from "../support/IssuanceScene.ts"
import { distribution, issuer, paymentsOf } from "../support/TestNetwork.ts"
import { fieldsOf, type World } from "./ModelBasedWorld.ts"

/**
 * I1 and I2: what is confirmed and what the ledger shows are the same, one to one, but for transactions of which the
 * books have no verdict yet; those pay what is bound to them, and nothing else.
 */
const checkPayments = Effect.fnUntraced(function* ({ stage }: World) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* issuances
  const signed = yield* sql<{ hash: string }>`SELECT hash FROM stellar_envelopes WHERE status = 'signed'`
  const undecided = new Set(signed.map(({ hash }) => hash))
  const hashes = new Set(rows.map(({ tx_hash }) => tx_hash))
  const paid = paymentsOf(stage.network, distribution.publicKey()).filter(
    ({ to }) => to !== issuer.publicKey(),
  )
  const decided = paid.filter((payment) => !payment.hashes.some((hash) => undecided.has(hash)))
  const booked = rows
    .filter(({ status }) => status === "confirmed")
    .map((row) => `${row.tx_hash}:${row.operation_index} ${row.wallet_address} ${row.amount_stroops}`)
  const shown = decided.map(
    (payment) =>
      `${payment.hashes.find((hash) => hashes.has(hash))}:${payment.operationIndex} ${payment.to} ${payment.amountStroops}`,
  )
  expect(booked.toSorted()).toEqual(shown.toSorted())
})

/** I4, with the caps: sums of the rows, never above what was allowed. */
const checkBooks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const campaigns = yield* sql`
    SELECT c.id FROM campaigns c LEFT JOIN reward_issuances r ON r.campaign_id = c.id
    GROUP BY c.id HAVING
      c.reserved_stroops <> coalesce(sum(r.amount_stroops) FILTER (WHERE r.status IN ('pending', 'submitted', 'held')), 0)
      OR c.spent_stroops <> coalesce(sum(r.amount_stroops) FILTER (WHERE r.status = 'confirmed'), 0)
      OR c.reserved_stroops + c.spent_stroops > c.budget_stroops`
  expect(campaigns).toEqual([])
  const caps = yield* sql`
    SELECT u.wallet_account FROM campaign_wallet_usage u
    LEFT JOIN reward_issuances r ON r.campaign_id = u.campaign_id AND r.wallet_account = u.wallet_account
      AND r.cap_period_start = u.period_start AND r.status NOT IN ('failed', 'cancelled')
    GROUP BY u.campaign_id, u.wallet_account, u.period_start
    HAVING u.used_stroops <> coalesce(sum(r.amount_stroops), 0) OR u.used_stroops > u.cap_stroops`
  expect(caps).toEqual([])
})

/** I3, step by step: history ends where the row stands, and goes only as the state table lets it. */
const checkHistory = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* historyHolds
  const broken = yield* sql`
    SELECT issuance_id FROM (
      SELECT issuance_id, from_status, lag(to_status) OVER (PARTITION BY issuance_id ORDER BY id) AS before
      FROM issuance_events) e
    WHERE from_status IS DISTINCT FROM before`
  expect(broken).toEqual([])
})

export const checkLaws = Effect.fnUntraced(function* (world: World) {
  yield* checkPayments(world)
  yield* checkBooks
  yield* checkHistory
  expect(world.contradictions).toEqual([])
})

/** I3 and I5 in the end: what was accepted is there under its key, as it was asked for, and once. */
export const checkAccepted = Effect.fnUntraced(function* (world: World) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{
    id: string
    idempotency_key: string
    campaignId: string
    walletAddress: string
    amountStroops: bigint
  }>`
    SELECT id, idempotency_key, campaign_id AS "campaignId", wallet_address AS "walletAddress",
      amount_stroops AS "amountStroops"
    FROM reward_issuances`
  const byKey = new Map(rows.map((row) => [row.idempotency_key, row]))
  expect(byKey.size).toBe(rows.length)
  for (const [key, { fields, id }] of world.accepted) {
    const row = byKey.get(key)
    expect(row === undefined ? "lost" : `${row.id} ${fieldsOf(row)}`).toBe(`${id} ${fields}`)
  }
})
