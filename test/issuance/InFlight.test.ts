import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { accept, laws, sceneLayer, setTheScene, tally } from "../support/IssuanceScene.ts"
import { effect } from "../support/it.ts"
import { makeTestNetwork } from "../support/TestNetwork.ts"
import { makeBlackHole, openChannels, rewards, stepAs } from "../support/WorkerScene.ts"

const { hole, meddle } = makeBlackHole()

effect("no more is in flight than a ledger holds, so each ledger is filled and nothing is bumped", () => {
  const stage = makeTestNetwork({ operationsPerLedgerMax: 200 })
  return Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* setTheScene(stage)
    yield* openChannels(stage)
    yield* accept(rewards(1000))
    for (let ledger = 1; ledger <= 5; ledger++) {
      yield* stepAs("one")
      expect(yield* tally).toEqual({
        ...(ledger === 1 ? {} : { confirmed: 200 * (ledger - 1) }),
        submitted: 200,
        ...(ledger === 5 ? {} : { pending: 1000 - 200 * ledger }),
      })
      yield* stage.close
    }
    yield* stepAs("one")
    expect(yield* tally).toEqual({ confirmed: 1000 })
    expect(yield* sql`SELECT hash FROM stellar_envelopes WHERE inner_hash IS NOT NULL OR sends > 1`).toEqual(
      [],
    )
    yield* laws(stage)
  }).pipe(Effect.provide(sceneLayer(stage), { local: true }))
})

effect("a batch that is stuck keeps no other out of the ledgers", () => {
  const stage = makeTestNetwork({ operationsPerLedgerMax: 200 })
  return Effect.gen(function* () {
    yield* setTheScene(stage)
    yield* openChannels(stage)
    yield* accept(rewards(200))
    hole.isDown = true
    yield* stepAs("one")
    expect(yield* tally).toEqual({ submitted: 200 })
    yield* accept(rewards(100))
    // Signed at ledger L, and not settled when L + 4 has closed: stuck.
    for (let ledger = 1; ledger <= 3; ledger++) {
      yield* stage.close
      yield* stepAs("one")
      expect(yield* tally).toEqual({ submitted: 200, pending: 100 })
    }
    yield* stage.close
    hole.isDown = false
    yield* stepAs("one")
    expect(yield* tally).toEqual({ submitted: 300 })
  }).pipe(Effect.provide(sceneLayer(stage, meddle), { local: true }))
})
