/** A database that went back: what it does not know of must not be paid again (docs/adr/0003-at-most-once.md, rule 5). */
import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Batches } from "../../src/issuance/Batches.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { step } from "../../src/programs/IssuanceWorker.ts"
import { takeDump } from "../operate/Dump.ts"
import { accept, sceneLayer, setTheScene, type TestNetwork } from "../support/IssuanceScene.ts"
import { effect } from "../support/it.ts"
import { distribution, makeTestNetwork, paymentsOf, settings } from "../support/TestNetwork.ts"
import {
  LEASE_MS,
  makeBlackHole,
  openChannels,
  rewards,
  type Services,
  settle,
  stepAs,
  trusting,
} from "../support/WorkerScene.ts"

/** An amount that only one reward has. */
const rare = { wallet: trusting, amountStroops: 777_777n }

const timesPaid = (stage: TestNetwork) =>
  paymentsOf(stage.network, distribution.publicKey()).filter(
    ({ amountStroops }) => amountStroops === 777_777n,
  ).length

const { hole, meddle } = makeBlackHole()

const older = (name: string, body: (stage: TestNetwork) => Effect.Effect<unknown, unknown, Services>) =>
  effect(name, () => {
    const stage = makeTestNetwork()
    return Effect.gen(function* () {
      yield* setTheScene(stage)
      yield* openChannels(stage)
      yield* body(stage)
    }).pipe(Effect.provide(sceneLayer(stage, meddle), { local: true }))
  })

/** Rewards in flight on one channel and in the dump; another channel's envelope is on its way and is not. */
const loseOneInFlight = (stage: TestNetwork) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* accept(rewards(100))
    yield* stepAs("one")
    yield* accept([rare])
    const restore = yield* takeDump
    hole.isDown = true
    yield* stepAs("one")
    hole.isDown = false
    const [lost] = yield* sql<{ channel_id: number }>`
      SELECT channel_id FROM stellar_envelopes WHERE cardinality(issuance_ids) = 1`
    yield* stage.close
    yield* restore
    const leases = (yield* Channels.use((channels) => channels.lease("one", LEASE_MS))).filter(
      ({ channelId }) => channelId !== lost?.channel_id,
    )
    const deliver = () => hole.swallowed.splice(0).map((envelope) => stage.network.submit(envelope).status)
    return { deliver, leases }
  })

older("a worker that has seen more signed than the database says stops at once", (stage) =>
  Effect.gen(function* () {
    const batches = yield* Batches
    const channels = yield* Channels
    const seen = new Map<number, bigint>()
    yield* accept([rare])
    const restore = yield* takeDump
    hole.isDown = true
    yield* step(yield* channels.lease("one", LEASE_MS), seen)
    hole.isDown = false
    // The rows of this step know of the signature.
    yield* step(yield* channels.lease("one", LEASE_MS), seen)
    yield* restore
    expect((yield* Effect.flip(step(yield* channels.lease("one", LEASE_MS), seen)))._tag).toBe(
      "IssuanceRefused",
    )
    expect((yield* batches.work).paused).toBe(true)
    expect(hole.swallowed.splice(0).length).toBe(1)
    expect(timesPaid(stage)).toBe(0)
  }),
)

older("a restored database binds nothing until what it may not know of has applied or expired", (stage) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const batches = yield* Batches
    const { deliver, leases } = yield* loseOneInFlight(stage)
    // A restore gives the tables another identity; the rows say what it was before.
    yield* sql`UPDATE issuance_control SET database_identity = 'another'`
    yield* step(leases)
    expect(deliver()).toEqual(["PENDING"])
    yield* stage.close
    yield* Effect.flip(stepAs("one"))
    expect((yield* batches.work).paused).toBe(true)
    expect(timesPaid(stage)).toBe(1)
  }),
)

older("and goes on by itself when nothing was lost", (stage) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const batches = yield* Batches
    yield* accept(rewards(1))
    yield* settle(stage)
    yield* accept([rare])
    yield* sql`UPDATE issuance_control SET database_identity = 'another'`
    // Known ledger L: an envelope may apply until L + 1 + its life, and nodes may be three ledgers apart.
    for (let ledger = 0; ledger < 1 + settings.envelopeLedgers + 3; ledger++) {
      yield* stepAs("one")
      expect((yield* batches.work).pending).toBe(true)
      yield* stage.close
    }
    yield* settle(stage)
    expect(timesPaid(stage)).toBe(1)
  }),
)

older("a channel that the database holds for out of use, and that has paid since, counts too", (stage) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const batches = yield* Batches
    const channels = yield* Channels
    yield* accept([rare])
    yield* sql`UPDATE channel_accounts SET status = 'quarantined', status_reason = 'tx_bad_auth' WHERE id = 1`
    const restore = yield* takeDump
    yield* sql`UPDATE channel_accounts SET status = 'open', status_reason = NULL WHERE id = 1`
    const leases = yield* channels.lease("one", LEASE_MS)
    yield* step(leases.filter(({ channelId }) => channelId === 1))
    yield* settle(stage)
    expect(timesPaid(stage)).toBe(1)
    yield* restore
    yield* Effect.flip(stepAs("one"))
    expect((yield* batches.work).paused).toBe(true)
    expect(timesPaid(stage)).toBe(1)
  }),
)
