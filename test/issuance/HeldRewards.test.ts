/** Held rewards: freed when their recipient can be paid, looked at less and less often, and never against a decision. */
import { describe, expect, test } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { freeHeldRewards, pauseMs } from "../../src/issuance/HeldRewards.ts"
import { accept, CAMPAIGN, type Meddle, tally, wallets } from "../support/IssuanceScene.ts"
import { asset, keypairOf } from "../support/TestNetwork.ts"
import { rewards, scene, settle, without } from "../support/WorkerScene.ts"

const policy = (name: "hold" | "fail") =>
  SqlClient.SqlClient.use(
    (sql) => sql`UPDATE campaigns SET on_missing_trustline = ${name} WHERE id = ${CAMPAIGN}`,
  )

/** What the database has of the held ones: when they are looked at again, in ms from now. */
const waiting = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const nowMs = yield* Clock.currentTimeMillis
  const rows = yield* sql<{ reason: string; held_check_at: Date | null }>`
    SELECT reason, held_check_at FROM reward_issuances WHERE status = 'held' ORDER BY id`
  return rows.map(({ held_check_at, reason }) => [reason, (held_check_at?.getTime() ?? 0) - nowMs])
})

/** Moves on until everything that is held is due. */
const untilDue = TestClock.adjust("600 seconds")

test("pauses grow from 5 s to 10 min with the time that a reward has been held", () => {
  expect([0, 1_000, 50_000].map(pauseMs)).toEqual([5_000, 5_000, 5_000])
  expect(pauseMs(60_000)).toBe(6_000)
  expect(pauseMs(3_600_000)).toBe(360_000)
  expect(pauseMs(6_000_000)).toBe(600_000)
  expect(pauseMs(86_400_000)).toBe(600_000)
})

describe("a held reward", () => {
  scene("is paid once its trustline appears", (stage) =>
    Effect.gen(function* () {
      yield* policy("hold")
      yield* accept([...rewards(3, without), ...rewards(2)])
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 2, "held no_trustline": 3 })
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(0)
      stage.trust(wallets.without)
      yield* stage.close
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(3)
      expect(yield* tally).toEqual({ confirmed: 2, pending: 3 })
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 5 })
      const sql = yield* SqlClient.SqlClient
      const [history] = yield* sql<{ states: ReadonlyArray<string> }>`
        SELECT array_agg(to_status || coalesce(' ' || reason, '') ORDER BY id) AS states FROM issuance_events
        WHERE issuance_id = (SELECT id FROM reward_issuances ORDER BY id LIMIT 1)`
      expect(history?.states).toEqual([
        "pending",
        "submitted",
        "held no_trustline",
        "pending payable",
        "submitted",
        "confirmed",
      ])
    }),
  )

  scene("is not looked at before its time, and then less and less often", (stage) =>
    Effect.gen(function* () {
      yield* policy("hold")
      yield* accept(rewards(1, without))
      yield* settle(stage)
      const before = yield* waiting
      stage.trust(wallets.without)
      expect(yield* freeHeldRewards()).toBe(0)
      expect(yield* waiting).toEqual(before)
      const sql = yield* SqlClient.SqlClient
      const nowMs = yield* Clock.currentTimeMillis
      // Held for an hour: the next look is a tenth of that away.
      yield* sql`UPDATE reward_issuances SET updated_at = ${new Date(nowMs - 3_600_000)}, held_check_at = ${new Date(nowMs)}`
      expect(yield* freeHeldRewards()).toBe(0)
      expect(yield* waiting).toEqual([["no_trustline", 360_000]])
    }),
  )

  scene("takes the reason that holds now, and begins its waiting anew by it", (stage) =>
    Effect.gen(function* () {
      const nobody = keypairOf("nobody")
      yield* policy("hold")
      yield* accept(rewards(1, nobody.publicKey()))
      yield* settle(stage)
      expect((yield* waiting).map(([reason]) => reason)).toEqual(["no_account"])
      stage.fund(nobody)
      yield* stage.close
      stage.submit(nobody, Operation.changeTrust({ asset }))
      yield* stage.close
      stage.submit(nobody, Operation.manageData({ name: "config.memo_required", value: "1" }))
      yield* stage.close
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(0)
      expect((yield* waiting).map(([reason]) => reason)).toEqual(["memo_required"])
      yield* untilDue
      yield* freeHeldRewards()
      // Held for 600 s by the new reason.
      expect(yield* waiting).toEqual([["memo_required", 60_000]])
    }),
  )

  scene("whose amounts fit only in part is freed in part, in the order of acceptance", (stage) =>
    Effect.gen(function* () {
      yield* policy("hold")
      yield* accept([
        { wallet: without, amountStroops: 70_000_000n },
        { wallet: without, amountStroops: 40_000_000n },
        { wallet: without, amountStroops: 30_000_000n },
      ])
      yield* settle(stage)
      stage.submit(wallets.without, Operation.changeTrust({ asset, limit: "10" }))
      yield* stage.close
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(2)
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 2, "held limit_exceeded": 1 })
    }),
  )

  scene("for want of a memo is freed once the account asks for none any more", (stage) =>
    Effect.gen(function* () {
      const say = (value: string | null) => {
        stage.submit(wallets.other, Operation.manageData({ name: "config.memo_required", value }))
        return stage.close
      }
      yield* say("1")
      yield* accept(rewards(2, wallets.other.publicKey()))
      yield* settle(stage)
      expect(yield* tally).toEqual({ "held memo_required": 2 })
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(0)
      yield* say(null)
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(2)
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 2 })
    }),
  )
})

describe("decisions of others", () => {
  scene("a paused campaign's rewards stay held, payable or not", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* policy("hold")
      yield* accept(rewards(1, without))
      yield* settle(stage)
      stage.trust(wallets.without)
      yield* stage.close
      yield* sql`UPDATE campaigns SET status = 'paused' WHERE id = ${CAMPAIGN}`
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(0)
      expect(yield* tally).toEqual({ "held no_trustline": 1 })
      yield* sql`UPDATE campaigns SET status = 'active' WHERE id = ${CAMPAIGN}`
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(1)
    }),
  )

  scene("what an operator reviews is not looked at, even with a time to look", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* policy("hold")
      yield* accept(rewards(2, without))
      yield* settle(stage)
      yield* sql`UPDATE reward_issuances SET reason = 'under_review'`
      stage.trust(wallets.without)
      yield* stage.close
      yield* untilDue
      expect(yield* freeHeldRewards()).toBe(0)
      expect(yield* tally).toEqual({ "held under_review": 2 })
    }),
  )

  const meanwhile: { run: Effect.Effect<unknown> } = { run: Effect.void }
  const interrupting: Meddle = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) => Effect.andThen(meanwhile.run, rpc.getLedgerEntries(keys)),
  })
  scene(
    "a hold that changes while the ledger is asked stays as it was decided",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* policy("hold")
        const ids = yield* accept(rewards(2, without))
        yield* settle(stage)
        stage.trust(wallets.without)
        yield* stage.close
        yield* untilDue
        meanwhile.run = sql`
          UPDATE reward_issuances SET reason = 'under_review', held_check_at = NULL WHERE id = ${ids[0] ?? ""}`.pipe(
          Effect.orDie,
        )
        expect(yield* freeHeldRewards()).toBe(1)
        meanwhile.run = Effect.void
        expect(yield* tally).toEqual({ "held under_review": 1, pending: 1 })
      }),
    interrupting,
  )
})

describe("rounds", () => {
  scene("of two workers at once free each reward once", (stage) =>
    Effect.gen(function* () {
      yield* policy("hold")
      yield* accept(rewards(30, without))
      yield* settle(stage)
      stage.trust(wallets.without)
      yield* stage.close
      yield* untilDue
      const freed = yield* Effect.all([freeHeldRewards(), freeHeldRewards()], { concurrency: 2 })
      expect(freed.reduce((sum, count) => sum + count, 0)).toBe(30)
      const sql = yield* SqlClient.SqlClient
      const events = yield* sql`SELECT id FROM issuance_events WHERE reason = 'payable'`
      expect(events.length).toBe(30)
    }),
  )

  const calls: Array<number> = []
  const counting: Meddle = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) =>
      Effect.suspend(() => {
        calls.push(keys.length)
        return rpc.getLedgerEntries(keys)
      }),
  })
  scene(
    "ask for 200 wallets without a trustline in one call",
    (stage) =>
      Effect.gen(function* () {
        yield* policy("hold")
        const nobodies = Array.from({ length: 201 }, (_, index) => keypairOf(`nobody ${index}`).publicKey())
        yield* accept(nobodies.map((wallet) => ({ wallet, amountStroops: 1n })))
        yield* settle(stage)
        expect(yield* tally).toEqual({ "held no_account": 201 })
        yield* untilDue
        calls.length = 0
        expect(yield* freeHeldRewards()).toBe(0)
        expect(calls).toEqual([200, 1])
      }),
    counting,
  )

  let isDown = false
  const failing: Meddle = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) => (isDown ? Effect.die(new Error("killed")) : rpc.getLedgerEntries(keys)),
  })
  scene(
    "that die in the middle leave their rewards to the next, a minute later",
    (stage) =>
      Effect.gen(function* () {
        yield* policy("hold")
        yield* accept(rewards(3, without))
        yield* settle(stage)
        stage.trust(wallets.without)
        yield* stage.close
        yield* untilDue
        isDown = true
        expect((yield* Effect.exit(freeHeldRewards()))._tag).toBe("Failure")
        isDown = false
        expect(yield* freeHeldRewards()).toBe(0)
        yield* TestClock.adjust("1 minute")
        expect(yield* freeHeldRewards()).toBe(3)
      }),
    failing,
  )
})
