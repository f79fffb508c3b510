/** Several hands at once: no reward waits for a review that is over. */
import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { Batches } from "../../src/issuance/Batches.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { dismissPayment, listReviews } from "../../src/operate/Review.ts"
import { upkeepOnce } from "../../src/programs/IssuanceUpkeep.ts"
import { accept, type TestNetwork, tally } from "../support/IssuanceScene.ts"
import { LEASE_MS, rewards, settle, termsOf } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import { booksBalance, paidTwice, recoverOn, recoverScene, stopWorkers } from "./RecoverScene.ts"

/** As many lost rewards of 1 stroop were paid; answers with their payments. */
const losePayments = Effect.fnUntraced(function* (stage: TestNetwork, count: number) {
  const restore = yield* takeDump
  for (let index = 0; index < count; index++) yield* accept(rewards(1))
  yield* settle(stage)
  yield* restore
  yield* stopWorkers
  yield* recoverOn(stage)
  const { payments } = yield* listReviews(100)
  expect(payments.length).toBe(count)
  return payments
})

/** Until the fiber has ended, or waits for a lock of another transaction. */
const untilDoneOrWaiting = Effect.fnUntraced(function* (fiber: Fiber.Fiber<unknown, unknown>) {
  const sql = yield* SqlClient.SqlClient
  while (fiber.pollUnsafe() === undefined) {
    const [row] = yield* sql<{ waiting: number }>`
      SELECT count(*)::int AS waiting FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE NOT l.granted AND d.datname = current_database()`
    if ((row?.waiting ?? 0) > 0) return
    yield* Effect.promise(() => Bun.sleep(5))
  }
})

describe("a review", () => {
  recoverScene(
    "two people resolve two payments at once that look like the same reward: it goes on",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const [first, second] = yield* losePayments(stage, 2)
        if (first === undefined || second === undefined) throw new Error("nothing to review")
        yield* accept(rewards(1))
        yield* settle(stage)
        expect(yield* tally).toEqual({ "held under_review": 1 })
        const decided = yield* Deferred.make<void>()
        const committed = yield* Deferred.make<void>()
        const one = yield* dismissPayment(first).pipe(
          Effect.tap(Deferred.succeed(decided, undefined)),
          Effect.tap(Deferred.await(committed)),
          sql.withTransaction,
          Effect.forkChild,
        )
        yield* Deferred.await(decided)
        const other = yield* Effect.forkChild(dismissPayment(second))
        yield* untilDoneOrWaiting(other)
        yield* Deferred.succeed(committed, undefined)
        const released = [yield* Fiber.join(one), yield* Fiber.join(other)].flatMap((done) => done.released)
        expect(released.length).toBe(1)
        expect(yield* tally).toEqual({ pending: 1 })
        yield* settle(stage)
        expect(yield* paidTwice(stage)).toBe(3)
        yield* booksBalance
      }),
  )

  recoverScene("a worker looks, a person dismisses, the worker holds: it does not", (stage) =>
    Effect.gen(function* () {
      const batches = yield* Batches
      const channels = yield* Channels
      const [payment] = yield* losePayments(stage, 1)
      yield* accept(rewards(1))
      const [lease] = yield* channels.lease("one", LEASE_MS)
      if (lease === undefined || payment === undefined) throw new Error("nothing to do")
      const terms = termsOf(stage, lease)
      yield* batches.claim(lease, terms)
      const alike = yield* batches.lookAlikes(lease, terms.sequence)
      expect(alike.length).toBe(1)
      const held = alike.map((issuanceId) => ({
        issuanceId,
        to: "held" as const,
        reason: "under_review" as const,
        code: null,
        checkAt: null,
      }))
      yield* dismissPayment(payment)
      yield* batches.eject(lease, terms.sequence, held)
      expect(yield* tally).toEqual({ submitted: 1 })
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 1 })
      yield* booksBalance
    }),
  )

  recoverScene("what waits for no payment any more is found by the upkeep, and nothing else is", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* losePayments(stage, 1)
      yield* accept(rewards(2))
      yield* settle(stage)
      // 1 stroop looks like the open payment; 3 stroops look like none that is there.
      yield* accept([{ wallet: rewards(1)[0]?.wallet ?? "", amountStroops: 3n }])
      yield* sql`UPDATE reward_issuances SET status = 'held', reason = 'under_review' WHERE amount_stroops = 3`
      yield* sql`
        INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
        SELECT id, updated_at, 'pending', 'held', 'under_review' FROM reward_issuances WHERE amount_stroops = 3`
      expect(yield* tally).toEqual({ confirmed: 1, "held under_review": 2 })
      expect(yield* upkeepOnce).toBe(true)
      expect(yield* tally).toEqual({ confirmed: 1, "held under_review": 1, pending: 1 })
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 2, "held under_review": 1 })
      yield* booksBalance
    }),
  )
})
