/** Channels that change hands: by name, by time, and what a worker makes of it. */
import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { Batches } from "../../src/issuance/Batches.ts"
import { Channels, fence, ownerOf } from "../../src/issuance/Channels.ts"
import { step } from "../../src/programs/IssuanceWorker.ts"
import { accept, tally } from "../support/IssuanceScene.ts"
import { LEASE_MS, rewards, scene, settle, stepAs, termsOf } from "../support/WorkerScene.ts"

const run = (letter: string) => letter.repeat(26)

/** A transaction of somebody's that has done this much and stands still; ends when the test does it. */
const standingStill = (...statements: ReadonlyArray<Effect.Effect<unknown, unknown, SqlClient.SqlClient>>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const isInside = yield* Deferred.make<void>()
    const fiber = yield* Effect.all(statements, { discard: true }).pipe(
      Effect.andThen(Deferred.succeed(isInside, undefined)),
      Effect.andThen(Effect.never),
      sql.withTransaction,
      Effect.forkChild,
    )
    yield* Deferred.await(isInside)
    return fiber
  })

const ownersOf = Effect.map(
  Effect.flatMap(Channels, ({ list }) => list),
  (rows) => new Set(rows.map(({ leaseOwner }) => leaseOwner)),
)

describe("a named worker's next run", () => {
  scene("takes over what its earlier runs held, and nothing of a worker whose name begins like its own", () =>
    Effect.gen(function* () {
      const channels = yield* Channels
      const old = ownerOf("host:/home", run("1"))
      const longer = ownerOf("host:/home/second", run("2"))
      yield* channels.lease(old, LEASE_MS)
      yield* channels.lease(longer, LEASE_MS)
      yield* channels.lease(old, LEASE_MS)
      yield* channels.lease(longer, LEASE_MS)
      expect(yield* ownersOf).toEqual(new Set([old, longer]))
      yield* channels.takeOver("host:/home")
      expect(yield* ownersOf).toEqual(new Set([null, longer]))
    }),
  )

  scene("waits for no program that was stopped in a transaction: that channel is left to its lease", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const channels = yield* Channels
      const old = ownerOf("host", run("1"))
      const [first, ...others] = yield* channels.lease(old, LEASE_MS)
      const stopped = yield* standingStill(
        sql`SELECT 1 FROM channel_accounts WHERE id = ${first?.channelId ?? 0} FOR UPDATE`,
        sql`SELECT 1 FROM issuance_workers WHERE id = ${old} FOR UPDATE`,
      )
      yield* channels.takeOver("host")
      yield* Fiber.interrupt(stopped)
      const free = (yield* channels.list).filter(({ leaseOwner }) => leaseOwner === null)
      expect(free.map(({ id }) => id)).toEqual(others.map(({ channelId }) => channelId))
    }),
  )
})

describe("a worker that finds a channel taken from it", () => {
  scene("says so in its step, so that it asks for its share again at once", (stage) =>
    Effect.gen(function* () {
      const channels = yield* Channels
      yield* accept(rewards(10))
      const leases = yield* channels.lease("one", LEASE_MS)
      expect(yield* step(leases)).toEqual({ found: "worked", hasLostLease: false })
      yield* TestClock.adjust(LEASE_MS + 1)
      yield* channels.lease("two", LEASE_MS)
      yield* stage.close
      expect((yield* step(leases)).hasLostLease).toBe(true)
      yield* settle(stage, "two")
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )
})

describe("a claim", () => {
  scene(
    "waits for no channel that another transaction holds, since it holds what that one may wait for",
    (stage) =>
      Effect.gen(function* () {
        const batches = yield* Batches
        const channels = yield* Channels
        const [lease] = yield* channels.lease("one", LEASE_MS)
        if (lease === undefined) throw new Error("no channel")
        yield* accept(rewards(10))
        const fencing = yield* standingStill(fence(lease))
        expect(yield* batches.claim(lease, termsOf(stage, lease))).toBe("unfit")
        yield* Fiber.interrupt(fencing)
        expect(yield* batches.claim(lease, termsOf(stage, lease))).toBe(10)
      }),
  )

  scene("waits for the claim before it: else both would see the same room and the same money", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const batches = yield* Batches
      const [lease] = yield* (yield* Channels).lease("one", LEASE_MS)
      if (lease === undefined) throw new Error("no channel")
      yield* accept(rewards(10))
      const before = yield* standingStill(sql`SELECT 1 FROM issuance_control WHERE id = 1 FOR UPDATE`)
      const claiming = yield* Effect.forkChild(batches.claim(lease, termsOf(stage, lease)))
      const waits = sql`
        SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      while (claiming.pollUnsafe() === undefined && (yield* waits).length === 0)
        yield* Effect.promise(() => Bun.sleep(5))
      expect(claiming.pollUnsafe()).toBeUndefined()
      yield* Fiber.interrupt(before)
      expect(yield* Fiber.join(claiming)).toBe(10)
    }),
  )
})

describe("one channel that is another worker's by now", () => {
  scene("does not keep the others from being filled", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const channels = yield* Channels
      yield* accept(rewards(10))
      const leases = yield* channels.lease("one", LEASE_MS)
      const [first, second] = leases
      yield* sql`UPDATE channel_accounts SET lease_token = lease_token + 1 WHERE id = ${first?.channelId ?? 0}`
      yield* step(leases)
      const rows = yield* sql<{ channel_id: number }>`SELECT channel_id FROM reward_issuances`
      expect(new Set(rows.map(({ channel_id }) => channel_id))).toEqual(new Set([second?.channelId ?? -1]))
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )
})

describe("the newest envelope of a batch", () => {
  scene("is the one that offers most, whatever the clocks of those who signed say", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const batches = yield* Batches
      yield* accept(rewards(10))
      yield* stepAs("one")
      // As a worker would write it whose clock is ten minutes behind that of the one that signed first.
      yield* sql`
        INSERT INTO stellar_envelopes
        SELECT (jsonb_populate_record(e, jsonb_build_object('hash', repeat('ab', 32), 'inner_hash', e.hash,
          'fee_stroops_max', e.fee_stroops_max * 11, 'created_at', e.created_at - interval '10 minutes'))).*
        FROM stellar_envelopes e`
      const found = [...(yield* batches.inFlight([0, 1, 2, 3])).values()]
      expect(found.map(({ envelopes }) => envelopes.map(({ innerHash }) => innerHash !== null))).toEqual([
        [false, true],
      ])
      yield* sql`DELETE FROM stellar_envelopes WHERE inner_hash IS NOT NULL`
      yield* settle(stage)
    }),
  )
})
