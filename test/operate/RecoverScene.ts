/** The stage of recovery's tests: the issuance worker's, with Horizon beside it. */
import { expect } from "bun:test"
import { Effect, Fiber, Layer, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import * as HorizonLocalnet from "../../layers/horizon/HorizonLocalnet.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { recover } from "../../src/operate/Recover.ts"
import { Horizon } from "../../src/ports/Horizon.ts"
import {
  issuances,
  type Meddle,
  sceneLayer,
  setTheScene,
  type TestNetwork,
} from "../support/IssuanceScene.ts"
import { effect } from "../support/it.ts"
import { distribution, issuer, makeTestNetwork, paymentsOf } from "../support/TestNetwork.ts"
import { openChannels } from "../support/WorkerScene.ts"

/** Turns the real Horizon into one that shows what a test wants. */
export type MeddleHorizon = (horizon: Horizon["Service"]) => Horizon["Service"]

const layerOf = (stage: TestNetwork, meddle?: Meddle, meddleHorizon: MeddleHorizon = (horizon) => horizon) =>
  Layer.mergeAll(
    sceneLayer(stage, meddle),
    Layer.effect(Horizon, Effect.map(Horizon, meddleHorizon)).pipe(
      Layer.provide(HorizonLocalnet.layer(stage.network)),
    ),
  )

type Services = Layer.Success<ReturnType<typeof layerOf>>

/** A test on a stage with channels, and without the laws: what is lost stays lost. */
export const recoverScene = (
  name: string,
  body: (stage: TestNetwork) => Effect.Effect<unknown, unknown, Services | Scope.Scope>,
  meddle?: Meddle,
  meddleHorizon?: MeddleHorizon,
  timeout = 30_000,
) =>
  effect(
    name,
    () => {
      const stage = makeTestNetwork()
      return Effect.gen(function* () {
        yield* setTheScene(stage)
        yield* openChannels(stage)
        yield* Effect.scoped(body(stage))
      }).pipe(Effect.provide(layerOf(stage, meddle, meddleHorizon), { local: true }))
    },
    { timeout },
  )

/** The workers are gone: their leases are given back. */
export const stopWorkers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE channel_accounts SET lease_owner = NULL, lease_until = NULL`
  yield* sql`DELETE FROM issuance_workers`
  expect((yield* Channels.use(({ list }) => list)).every((row) => row.leaseOwner === null)).toBe(true)
})

/** Recovers while ledgers close beside it: it waits for them. */
export const recoverOn = Effect.fnUntraced(function* (stage: TestNetwork, dryRun = false) {
  const lines: Array<string> = []
  const say = (line: string) => Effect.sync(() => void lines.push(line))
  const running = yield* Effect.forkChild(recover({ dryRun, say }))
  while (running.pollUnsafe() === undefined) {
    yield* Effect.promise(() => Bun.sleep(5))
    yield* stage.close
  }
  return { report: yield* Fiber.join(running), lines }
})

/** The rewards' payments on the ledger, and the rows that say that they were paid. */
export const paidTwice = Effect.fnUntraced(function* (stage: TestNetwork) {
  const sql = yield* SqlClient.SqlClient
  const proofs = (yield* issuances)
    .filter((row) => row.status === "confirmed")
    .map((row) => `${row.tx_hash}:${row.operation_index} ${row.wallet_address} ${row.amount_stroops}`)
  const unmatched = yield* sql<{ proof: string }>`
    SELECT tx_hash || ':' || operation_index || ' ' || wallet_address || ' ' || amount_stroops AS proof
    FROM unmatched_payments WHERE resolution IS DISTINCT FROM 'matched'`
  const booked = [...proofs, ...unmatched.map(({ proof }) => proof)]
  const paid = paymentsOf(stage.network, distribution.publicKey()).filter(
    ({ to }) => to !== issuer.publicKey(),
  )
  const unbooked = paid.filter(
    ({ amountStroops, hashes, operationIndex, to }) =>
      booked.filter((proof) =>
        hashes.some((hash) => proof === `${hash}:${operationIndex} ${to} ${amountStroops}`),
      ).length !== 1,
  )
  // One to one: every payment is one row's proof, or is written down as one that was lost.
  expect(unbooked).toEqual([])
  expect(booked.length).toBe(paid.length)
  return paid.length
})

/** Budgets add up, and history ends where each row stands. */
export const booksBalance = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const wrong = yield* sql`
    SELECT c.id FROM campaigns c LEFT JOIN LATERAL (
      SELECT coalesce(sum(amount_stroops) FILTER (WHERE status IN ('pending', 'submitted', 'held')), 0) AS reserved,
        coalesce(sum(amount_stroops) FILTER (WHERE status = 'confirmed' AND NOT EXISTS (
          SELECT 1 FROM claimable_balances b WHERE b.issuance_id = i.id AND b.status = 'reclaimed')), 0) AS spent
      FROM reward_issuances i WHERE campaign_id = c.id
    ) r ON true
    WHERE (c.reserved_stroops, c.spent_stroops) IS DISTINCT FROM (r.reserved, r.spent)`
  expect(wrong).toEqual([])
  const strays = yield* sql`
    SELECT r.id FROM reward_issuances r
    WHERE r.status IS DISTINCT FROM (
      SELECT e.to_status FROM issuance_events e WHERE e.issuance_id = r.id ORDER BY e.id DESC LIMIT 1)`
  expect(strays).toEqual([])
})
