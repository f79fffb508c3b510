/**
 * A merchant, a campaign and an empty pool on a fresh database and a fresh network, with the real services of the
 * issuance worker: the stage of its tests. `laws` checks what must hold whatever happened before.
 */
import { expect } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as SubmissionRpc from "../../layers/submission/SubmissionRpc.ts"
import * as Wiring from "../../layers/Test.ts"
import { canMove, type IssuanceStatus } from "../../src/issuance/Issuance.ts"
import { SorobanRpc } from "../../src/ports/SorobanRpc.ts"
import { TestDatabase } from "./TestDatabase.ts"
import {
  asset,
  distribution,
  issuer,
  keypairOf,
  type makeTestNetwork,
  paymentsOf,
  settings,
  signer,
} from "./TestNetwork.ts"

export const CAMPAIGN = "cmp_01K9ZQ4T5XJ8W2V7R3M6N1P0CD"
const MERCHANT = "mer_01K9ZQ4T5XJ8W2V7R3M6N1P0CD"
const BUDGET_STROOPS = 1_000_000_0000000n

export const wallets = {
  trusting: keypairOf("wallet one"),
  other: keypairOf("wallet two"),
  without: keypairOf("no line"),
}

export type TestNetwork = ReturnType<typeof makeTestNetwork>

/** Turns the real port into one that fails as a test wants. */
export type Meddle = (rpc: SorobanRpc["Service"]) => SorobanRpc["Service"]

/** The services on a database of their own. */
export const sceneLayer = (
  stage: TestNetwork,
  meddle: Meddle = (rpc) => rpc,
  changed: Partial<typeof settings> = {},
) =>
  Wiring.issuance({ ...settings, ...changed }).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        TestDatabase.layer,
        signer,
        // Fresh: the wiring has one too, over a port that is not meddled with.
        Layer.fresh(SubmissionRpc.layer).pipe(
          Layer.provideMerge(Layer.effect(SorobanRpc, Effect.map(SorobanRpc, meddle))),
          Layer.provide(Wiring.network(stage.network)),
        ),
      ),
    ),
  )

/** Accounts, trustlines and a treasury of 100,000 NOVA (or what is given). */
export const setTheScene = Effect.fnUntraced(function* (stage: TestNetwork, treasury = "100000") {
  yield* stage.close
  stage.fund(issuer, distribution, ...Object.values(wallets))
  yield* stage.close
  stage.trust(distribution, wallets.trusting, wallets.other)
  yield* stage.close
  stage.submit(issuer, Operation.payment({ destination: distribution.publicKey(), asset, amount: treasury }))
  yield* stage.close
  const sql = yield* SqlClient.SqlClient
  const now = new Date(yield* Clock.currentTimeMillis)
  yield* sql`INSERT INTO merchants (id, name, created_at) VALUES (${MERCHANT}, 'Shop', ${now})`
  yield* sql`
    INSERT INTO campaigns (id, merchant_id, mode, name, status, starts_at, budget_stroops, created_at, updated_at)
    VALUES (${CAMPAIGN}, ${MERCHANT}, 'test', 'Welcome', 'active', ${now}, ${BUDGET_STROOPS}, ${now}, ${now})`
})

let accepted = 0

/** Rows as the API accepts them, budget reserved. Answers with their ids. */
export const accept = Effect.fnUntraced(function* (
  rewards: ReadonlyArray<{ readonly wallet: string; readonly amountStroops: bigint }>,
) {
  const sql = yield* SqlClient.SqlClient
  const now = new Date(yield* Clock.currentTimeMillis)
  const ids = rewards.map(() => `iss_${String(++accepted).padStart(26, "0")}`)
  const total = rewards.reduce((sum, reward) => sum + reward.amountStroops, 0n)
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`
        INSERT INTO reward_issuances (id, merchant_id, mode, idempotency_key, request_hash, campaign_id,
          wallet_address, wallet_account, amount_stroops, status, created_at, updated_at)
        SELECT id, ${MERCHANT}, 'test', id, sha256(id::bytea), ${CAMPAIGN}, wallet, wallet, stroops, 'pending', ${now}, ${now}
        FROM unnest(${ids}::text[], ${rewards.map((reward) => reward.wallet)}::text[],
          ${rewards.map((reward) => reward.amountStroops)}::bigint[]) AS reward (id, wallet, stroops)`
      yield* sql`
        INSERT INTO issuance_events (issuance_id, at, to_status) SELECT unnest(${ids}::text[]), ${now}, 'pending'`
      yield* sql`UPDATE campaigns SET reserved_stroops = reserved_stroops + ${total} WHERE id = ${CAMPAIGN}`
    }),
  )
  return ids
})

export interface IssuanceState {
  readonly id: string
  readonly wallet_address: string
  readonly amount_stroops: bigint
  readonly status: string
  readonly reason: string | null
  readonly tx_hash: string | null
  readonly ledger: bigint | null
  readonly operation_index: number | null
  readonly channel_sequence: bigint | null
}

export const issuances = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<IssuanceState>`SELECT * FROM reward_issuances ORDER BY id`
})

/** How many issuances are in each state, with the reason of those that have one: {"confirmed": 3, "failed no_trustline": 1}. */
export const tally = Effect.map(issuances, (rows) => {
  const counts: Record<string, number> = {}
  for (const { reason, status } of rows) {
    const name = reason === null ? status : `${status} ${reason}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
})

/** History ends where the row stands, and goes only as the state table lets it. */
export const historyHolds = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const strays = yield* sql`
    SELECT r.id FROM reward_issuances r
    WHERE r.status IS DISTINCT FROM (
      SELECT e.to_status FROM issuance_events e WHERE e.issuance_id = r.id ORDER BY e.id DESC LIMIT 1)`
  expect(strays).toEqual([])
  const moves = yield* sql<{ from_status: IssuanceStatus; to_status: IssuanceStatus }>`
    SELECT DISTINCT from_status, to_status FROM issuance_events WHERE from_status IS NOT NULL`
  expect(moves.filter(({ from_status, to_status }) => !canMove(from_status, to_status))).toEqual([])
})

/**
 * Invariants I1 to I4 of the design: each confirmed row is one payment of the ledger and the other way round; what
 * is not confirmed is not paid, but may be in flight; the budget adds up; history ends where the row stands.
 */
export const laws = Effect.fnUntraced(function* (stage: TestNetwork) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* issuances
  const proof = (row: { tx: string; index: number; to: string; stroops: bigint }) =>
    `${row.tx}:${row.index} ${row.to} ${row.stroops}`
  const booked = rows
    .filter((row) => row.status === "confirmed")
    .map((row) =>
      proof({
        tx: row.tx_hash ?? "",
        index: row.operation_index ?? -1,
        to: row.wallet_address,
        stroops: row.amount_stroops,
      }),
    )
  const bookedHashes = new Set(rows.map((row) => row.tx_hash))
  const envelopes = yield* sql<{ hash: string }>`SELECT hash FROM stellar_envelopes WHERE status = 'signed'`
  const undecided = new Set(envelopes.map(({ hash }) => hash))
  const paid = paymentsOf(stage.network, distribution.publicKey())
    .filter(({ hashes, to }) => to !== issuer.publicKey() && !hashes.some((hash) => undecided.has(hash)))
    .map((payment) =>
      proof({
        // Of a fee bump of ours the outer hash is what the row says; of a stranger's the inner one.
        tx: payment.hashes.find((hash) => bookedHashes.has(hash)) ?? payment.hashes.join(),
        index: payment.operationIndex,
        to: payment.to,
        stroops: payment.amountStroops,
      }),
    )
  expect(booked.toSorted()).toEqual(paid.toSorted())
  const sum = (...statuses: ReadonlyArray<string>) =>
    rows.filter((row) => statuses.includes(row.status)).reduce((total, row) => total + row.amount_stroops, 0n)
  const [{ reclaimed } = { reclaimed: 0n }] = yield* sql<{ reclaimed: bigint }>`
    SELECT coalesce(sum(r.amount_stroops), 0)::bigint AS reclaimed
    FROM claimable_balances b JOIN reward_issuances r ON r.id = b.issuance_id WHERE b.status = 'reclaimed'`
  const [campaign] = yield* sql`SELECT reserved_stroops, spent_stroops FROM campaigns WHERE id = ${CAMPAIGN}`
  expect(campaign).toEqual({
    reserved_stroops: sum("pending", "submitted", "held"),
    spent_stroops: sum("confirmed") - reclaimed,
  })
  yield* historyHolds
  const revived = yield* sql`
    SELECT issuance_id FROM issuance_events
    WHERE from_status IN ('failed', 'cancelled') AND reason IS DISTINCT FROM 'recovered'`
  expect(revived).toEqual([])
})
