/**
 * A worker's start through troubles: wherever a statement or a call fails once, with its outcome known or not, the worker
 * issues in the end, and has made its channels once.
 */
import { expect } from "bun:test"
import { Effect, Fiber, Logger, Ref } from "effect"
import { SqlClient } from "effect/sql"
import { issuanceWorker } from "../../src/programs/IssuanceWorker.ts"
import { WorkerReady } from "../../src/programs/WorkerHealth.ts"
import { type Fall, makeActor } from "../properties/ModelBasedActor.ts"
import { setTheScene } from "../support/IssuanceScene.ts"
import { effect } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { makeTestNetwork } from "../support/TestNetwork.ts"

/** The troubles are meant. */
const quiet = Logger.layer([])

/** A start has more statements and calls than the one, and fewer than the other. */
const FALLS_MIN = 20
const FALLS_MAX = 100

const LEDGERS_MAX = 100

/** Of an actor. */
const CHANNELS = 3

/** Starts a worker that falls there; answers whether it was ready in the end, and whether it got as far as the fall. */
const startWith = Effect.fnUntraced(function* (fall: Fall) {
  const stage = makeTestNetwork()
  yield* setTheScene(stage)
  const sql = yield* SqlClient.SqlClient
  const actor = makeActor(stage, sql, (rpc) => rpc)
  const ready = yield* Ref.make(false)
  const worker = yield* Effect.forkChild(
    actor.act(Effect.provideService(issuanceWorker, WorkerReady, ready), fall),
  )
  for (let ledger = 0; ledger < LEDGERS_MAX && !(yield* Ref.get(ready)); ledger++) {
    if (worker.pollUnsafe() !== undefined) break
    yield* Effect.promise(() => Bun.sleep(5))
    yield* stage.close
  }
  const isReady = yield* Ref.get(ready)
  yield* Fiber.interrupt(worker)
  const [made] = yield* sql<{ channels: number; creations: number }>`
    SELECT (SELECT count(*)::int FROM channel_accounts) AS channels,
      (SELECT count(*)::int FROM upkeep_transactions WHERE purpose = 'create_channels') AS creations`
  return { isReady, ...made, hasFallen: Object.keys(actor.falls()).length > 0 }
})

for (const when of ["before", "after"] as const) {
  effect(
    `a start goes on though a statement or a call of it fails, the trouble coming ${when} it`,
    () =>
      Effect.gen(function* () {
        let struck = 0
        for (let at = 1; at <= FALLS_MAX; at++) {
          const start = startWith({ at, when, how: "error" })
          const outcome = yield* Effect.provide(start, [TestDatabase.layer, quiet], { local: true })
          if (!outcome.hasFallen) break
          struck = at
          const made = { channels: CHANNELS, creations: 1 }
          expect({ at, ...outcome }).toEqual({ at, isReady: true, ...made, hasFallen: true })
        }
        expect(struck).toBeGreaterThanOrEqual(FALLS_MIN)
        expect(struck).toBeLessThan(FALLS_MAX)
      }),
    { timeout: 120_000 },
  )
}
