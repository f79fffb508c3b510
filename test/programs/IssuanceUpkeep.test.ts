/** The upkeep's loop beside the worker's steps: several at once, through failures, with the right numbers to read. */
import { describe, expect } from "bun:test"
import { Effect, Fiber, Metric } from "effect"
import { SqlClient } from "effect/sql"
import { SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import { issuanceUpkeep, upkeepOnce } from "../../src/programs/IssuanceUpkeep.ts"
import { balanceOf, drainChannel, stageWithChannels, upkeepRows } from "../issuance/UpkeepHarness.ts"
import { accept, CAMPAIGN, type Meddle, type TestNetwork, tally, wallets } from "../support/IssuanceScene.ts"
import { rewards, settle, stepAs, without } from "../support/WorkerScene.ts"

const ledgers = (
  stage: TestNetwork,
  count: number,
  step: Effect.Effect<unknown, unknown, never> = Effect.void,
) =>
  Effect.gen(function* () {
    for (let ledger = 0; ledger < count; ledger++) {
      yield* step
      yield* stage.close
      // The loops run on fibers of their own, with real connections to the database.
      yield* Effect.promise(() => Bun.sleep(15))
    }
  })

const policy = (name: string) =>
  SqlClient.SqlClient.use(
    (sql) => sql`
      UPDATE campaigns SET on_missing_trustline = ${name}, reclaim_after_s = 60 WHERE id = ${CAMPAIGN}`,
  )

/** The gauge's value for these attributes, as /metrics shows it. */
const gauge = (id: string, attributes: Readonly<Record<string, string>> = {}) =>
  Effect.map(Metric.snapshot, (all) => {
    const found = all.find(
      (metric) =>
        metric.id === id &&
        Object.entries(attributes).every(([key, value]) => metric.attributes?.[key] === value),
    )
    return found?.type === "Gauge" ? Number(found.state.value) : undefined
  })

describe("the upkeep", () => {
  stageWithChannels("of two workers frees, tops up and takes back, each thing once", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* policy("claimable_balance")
      yield* accept(rewards(3, without))
      yield* settle(stage)
      yield* policy("hold")
      yield* accept([{ wallet: without, amountStroops: 100n }])
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 3, "held no_trustline": 1 })
      // The last channel, which no batch of so few rewards uses.
      drainChannel(stage, 3, "4")
      const loops = yield* Effect.forEach([1, 2], () => Effect.forkChild(issuanceUpkeep))
      yield* ledgers(stage, 40)
      stage.trust(wallets.without)
      yield* ledgers(stage, 4)
      yield* Effect.forEach(Array.from({ length: 12 }), () =>
        Effect.andThen(stepAs("one"), ledgers(stage, 1)),
      )
      yield* Fiber.interruptAll(loops)
      expect(yield* tally).toEqual({ confirmed: 4 })
      expect(yield* balanceOf(3)).toBe("5.0000000")
      const rows = [...(yield* upkeepRows("top_up")), ...(yield* upkeepRows("reclaim"))]
      expect(rows.map(({ purpose, status, subjects }) => [purpose, status, subjects.length])).toEqual([
        ["top_up", "applied", 1],
        ["reclaim", "applied", 3],
      ])
      const [campaign] =
        yield* sql`SELECT spent_stroops, reserved_stroops FROM campaigns WHERE id = ${CAMPAIGN}`
      expect(campaign).toEqual({ spent_stroops: 100n, reserved_stroops: 0n })
    }),
  )

  let isDown = false
  const failing: Meddle = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) =>
      isDown
        ? Effect.fail(new SorobanRpcError({ method: "getLedgerEntries", reason: "timeout", message: "down" }))
        : rpc.getLedgerEntries(keys),
  })
  stageWithChannels(
    "outlives a network that gives no answer, and says so meanwhile",
    (stage) =>
      Effect.gen(function* () {
        drainChannel(stage, 0, "4")
        yield* stage.close
        isDown = true
        expect(yield* upkeepOnce).toBe(false)
        const loop = yield* Effect.forkChild(issuanceUpkeep)
        yield* ledgers(stage, 6)
        expect((yield* gauge("issuance.upkeep_failed")) ?? 0).toBeGreaterThan(0)
        isDown = false
        yield* ledgers(stage, 20)
        yield* Fiber.interrupt(loop)
        expect(yield* gauge("issuance.upkeep_failed")).toBe(0)
        expect(yield* balanceOf(0)).toBe("5.0000000")
      }),
    { meddle: failing },
  )

  stageWithChannels("measures what is held and what is left on the ledger", (stage) =>
    Effect.gen(function* () {
      yield* policy("hold")
      yield* accept(rewards(2, without))
      yield* settle(stage)
      yield* policy("claimable_balance")
      yield* accept(rewards(1, without))
      yield* settle(stage)
      // Else those that are held would be left as balances too.
      yield* policy("hold")
      drainChannel(stage, 0, "4")
      yield* stage.close
      expect(yield* upkeepOnce).toBe(true)
      expect(yield* gauge("issuance.held", { reason: "no_trustline" })).toBe(2)
      expect(yield* gauge("issuance.held", { reason: "memo_required" })).toBe(0)
      expect(yield* gauge("issuance.claimable_balances", { status: "open" })).toBe(1)
      expect(yield* gauge("issuance.channels_balance_low")).toBe(1)
    }),
  )
})
