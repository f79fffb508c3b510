/**
 * Two, four and eight workers share one pool: equal parts, never two hands on one channel, and what a killed one held
 * goes to the others as soon as its leases have ended.
 */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { Channels } from "../../src/issuance/Channels.ts"
import { accept, issuances, type TestNetwork, tally } from "../support/IssuanceScene.ts"
import { LEASE_MS, rewards } from "../support/WorkerScene.ts"
import {
  newWorker,
  noting,
  recordWrites,
  shares,
  takeStep,
  tick,
  tickKilling,
  violations,
  type Worker,
  type Written,
} from "./ManyWorkersStage.ts"
import { type TableServices, type TableStage, tableScene } from "./TableScene.ts"

const CHANNELS = 16
/** Ledgers of five seconds: the lease itself, and the third of it after which the others look again. */
const TAKEOVER_LEDGERS = (LEASE_MS + LEASE_MS / 3) / 5_000

/** A scene on sixteen channels whose writes are recorded; none of them may be of a worker that did not hold it. */
const poolScene = (
  name: string,
  body: (stage: TableStage) => Effect.Effect<unknown, unknown, TableServices>,
) =>
  tableScene(
    name,
    (stage) => {
      const written: Written = []
      return Effect.gen(function* () {
        yield* recordWrites
        yield* body(stage).pipe(Effect.provide(noting(written)))
        expect(written.length).toBeGreaterThan(0)
        expect(yield* violations(written)).toEqual([])
      })
    },
    { channels: CHANNELS },
  )

const team = (count: number) => Array.from({ length: count }, (_, index) => newWorker(`worker ${index}`))

const equalShares = (workers: ReadonlyArray<Worker>) =>
  Object.fromEntries(workers.map(({ owner }) => [owner, CHANNELS / workers.length]))

/** Ticks until nothing waits. */
const drainAll = (stage: TestNetwork, workers: ReadonlyArray<Worker>, ledgersMax: number) =>
  Effect.gen(function* () {
    for (let ledger = 0; ledger < ledgersMax; ledger++) {
      const counts = yield* tally
      if (counts.pending === undefined && counts.submitted === undefined) return
      yield* tick(stage, workers)
    }
    expect(yield* tally).toEqual({})
  })

describe("shares", () => {
  poolScene("sixteen among three are six, five and five; among twenty, none has two", (stage) =>
    Effect.gen(function* () {
      const channels = yield* Channels
      const lease = (count: number) =>
        Effect.forEach(team(count), ({ owner }) => channels.lease(owner, LEASE_MS), { discard: true })
      // Twice each: the first time the later ones are not known yet.
      yield* Effect.repeat(lease(3), { times: 2 })
      expect(Object.values(yield* shares).toSorted()).toEqual([5, 5, 6])
      yield* Effect.repeat(lease(20), { times: 2 })
      expect(Object.values(yield* shares)).toEqual(Array.from({ length: 16 }, () => 1))
      yield* accept(rewards(10))
      yield* drainAll(stage, team(3), 20)
    }),
  )

  for (const count of [2, 4, 8]) {
    poolScene(`${count} workers come to equal shares, and pay everybody once`, (stage) =>
      Effect.gen(function* () {
        const workers = team(count)
        yield* accept(rewards(400))
        // The first ledger's leases were taken before all were seen; the next ones are shared out.
        for (let ledger = 0; ledger < 4; ledger++) yield* tick(stage, workers)
        expect(yield* shares).toEqual(equalShares(workers))
        yield* accept(rewards(1_600))
        yield* drainAll(stage, workers, 12)
        expect(yield* tally).toEqual({ confirmed: 2_000 })
      }),
    )
  }

  poolScene(
    "a worker that joins or leaves is reckoned with while batches are in flight, and none stands still",
    (stage) =>
      Effect.gen(function* () {
        const channels = yield* Channels
        const [one, two, three, four] = team(4)
        if (!one || !two || !three || !four) throw new Error("no team")
        yield* accept(rewards(8_000))
        yield* tick(stage, [one])
        expect(yield* shares).toEqual({ [one.owner]: 16 })
        for (let ledger = 0; ledger < 5; ledger++) yield* tick(stage, [one, two, three, four])
        expect(yield* shares).toEqual(equalShares([one, two, three, four]))
        yield* channels.release(four.owner)
        for (let ledger = 0; ledger < 2; ledger++) yield* tick(stage, [one, two, three])
        // Sixteen among three.
        expect(Object.values(yield* shares).toSorted()).toEqual([5, 5, 6])
        yield* drainAll(stage, [one, two, three], 12)
        const ledgers = (yield* issuances).map(({ ledger }) => Number(ledger))
        const from = Math.min(...ledgers)
        // No ledger went by without paying while there was something to pay.
        expect([...new Set(ledgers)].toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: Math.max(...ledgers) - from + 1 }, (_, index) => from + index),
        )
        expect(yield* tally).toEqual({ confirmed: 8_000 })
      }),
  )
})

describe("a killed worker", () => {
  for (const count of [2, 4, 8]) {
    for (const afterMs of [0, 15, 60]) {
      poolScene(
        `of ${count}, ${afterMs} ms into its step: its channels are the others' once its lease has ended`,
        (stage) =>
          Effect.gen(function* () {
            const workers = team(count)
            const [killed, ...others] = workers
            if (killed === undefined) throw new Error("no team")
            for (let ledger = 0; ledger < 4; ledger++) {
              yield* accept(rewards(1))
              yield* tick(stage, workers)
            }
            expect(yield* shares).toEqual(equalShares(workers))
            yield* accept(rewards(1_500))
            yield* tickKilling(stage, others, killed, afterMs)
            // It renewed at the beginning of that step at the latest: until then nobody touches what it holds.
            yield* tick(stage, others)
            expect((yield* shares)[killed.owner]).toBe(CHANNELS / count)
            for (let ledger = 2; ledger < TAKEOVER_LEDGERS + 1; ledger++) yield* tick(stage, others)
            const left = yield* shares
            expect(left[killed.owner]).toBeUndefined()
            expect(Object.values(left).reduce((sum, one) => sum + one, 0)).toBe(CHANNELS)
            yield* drainAll(stage, others, 20)
            expect(yield* tally).toEqual({ confirmed: 1_504 })
          }),
      )
    }
  }
})

describe("a worker that sleeps and wakes", () => {
  poolScene("finds its channels taken, writes nothing with its old leases, and gets new ones", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [sleeper, ...others] = team(4)
      if (sleeper === undefined) throw new Error("no team")
      yield* accept(rewards(1_600))
      yield* tick(stage, [sleeper])
      const old = { ...sleeper }
      yield* TestClock.adjust(LEASE_MS + 1)
      yield* accept(rewards(1_600))
      for (let ledger = 0; ledger < 3; ledger++) {
        // It wakes in the midst of the others' work and goes on as if nothing had happened.
        yield* Effect.all(
          [
            ...others.map((worker) => Effect.exit(takeStep(worker))),
            Effect.exit(takeStep({ ...old, leasedAtMs: Number.MAX_SAFE_INTEGER })),
          ],
          { concurrency: "unbounded" },
        )
        yield* stage.close
      }
      const tokens = yield* sql<{ token: bigint }>`SELECT DISTINCT lease_token AS token FROM channel_accounts`
      expect(tokens.map(({ token }) => token)).not.toContain(old.leases[0]?.token ?? 0n)
      yield* drainAll(stage, [sleeper, ...others], 20)
      expect(yield* tally).toEqual({ confirmed: 3_200 })
    }),
  )
})
