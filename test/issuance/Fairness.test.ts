/**
 * Channels are shared by merchants in turns, and within one merchant by priority and age: whoever has few rewards does
 * not wait for those who have many.
 */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { issuances, wallets } from "../support/IssuanceScene.ts"
import { stepAs } from "../support/WorkerScene.ts"
import { acceptAll, addMerchants, lawsOfMany, type TableReward } from "./TableAccept.ts"
import { drain, envelopes, rounds, tableScene } from "./TableScene.ts"

const wallet = wallets.trusting.publicKey()

const many = (count: number, merchant: number, priority: -1 | 0 | 1 = 0): ReadonlyArray<TableReward> =>
  Array.from({ length: count }, (_, index) => ({
    merchant,
    wallet,
    amountStroops: BigInt(index + 1),
    priority,
  }))

/** The ledgers that paid these, each counted from the first that could. */
const ledgersOf = Effect.fnUntraced(function* (ids: ReadonlyArray<string>, first: number) {
  const rows = new Map((yield* issuances).map((row) => [row.id, row]))
  return ids.map((id) => Number(rows.get(id)?.ledger ?? Number.NaN) - first)
})

const boundByMerchant = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ merchant_id: string; count: number }>`
    SELECT merchant_id, count(*)::int AS count FROM reward_issuances WHERE status = 'submitted' GROUP BY 1`
  return rows.map(({ count }) => count)
})

describe("merchants take turns", () => {
  tableScene(
    "two thousand rewards of one delay another's ten by two ledgers at most",
    (stage) =>
      Effect.gen(function* () {
        yield* addMerchants(1, 2)
        yield* acceptAll(many(2_000, 1))
        yield* stepAs("one")
        yield* rounds(stage, 2)
        // All channels are full of the first merchant's, and 1,200 of its rewards wait, older than these.
        const ten = yield* acceptAll(many(10, 2))
        const first = stage.network.latest().sequence + 1
        yield* rounds(stage, 5)
        for (const ledgers of yield* ledgersOf(ten, first)) expect(ledgers).toBeLessThanOrEqual(2)
        yield* drain(stage)
      }),
    { channels: 4 },
    lawsOfMany,
  )

  tableScene(
    "sixty share the places equally",
    (stage) =>
      Effect.gen(function* () {
        const merchants = Array.from({ length: 60 }, (_, index) => index + 1)
        yield* addMerchants(...merchants)
        // The first has a hundred times as many as the last; each has more than its share of 200 places.
        yield* acceptAll(merchants.flatMap((merchant) => many(merchant === 1 ? 400 : 4, merchant)))
        yield* stepAs("one")
        const counts = yield* boundByMerchant
        expect(counts.length).toBe(60)
        // 200 places among sixty: three each, and a fourth for twenty of them.
        expect(Math.min(...counts)).toBe(3)
        expect(Math.max(...counts)).toBe(4)
        yield* drain(stage)
      }),
    {},
    lawsOfMany,
  )

  tableScene(
    "who has no more leaves its places to the others",
    (stage) =>
      Effect.gen(function* () {
        yield* addMerchants(1, 2, 3)
        yield* acceptAll([...many(300, 1), ...many(5, 2), ...many(20, 3)])
        yield* stepAs("one")
        expect((yield* boundByMerchant).toSorted((a, b) => a - b)).toEqual([5, 20, 75])
        expect((yield* envelopes).map(({ issuance_ids }) => issuance_ids.length)).toEqual([100])
        yield* drain(stage)
      }),
    { channels: 1 },
    lawsOfMany,
  )
})

describe("within a merchant", () => {
  tableScene(
    "high before normal before low, and the older first among equals",
    (stage) =>
      Effect.gen(function* () {
        const low = yield* acceptAll(many(60, 0, -1))
        const normal = yield* acceptAll(many(60, 0, 0))
        const high = yield* acceptAll(many(60, 0, 1))
        yield* stepAs("one")
        const [batch] = yield* envelopes
        expect(new Set(batch?.issuance_ids)).toEqual(new Set([...high, ...normal.slice(0, 40)]))
        const first = stage.network.latest().sequence + 1
        yield* drain(stage)
        const [lows] = [yield* ledgersOf(low, first)]
        const normals = yield* ledgersOf(normal.slice(40), first)
        expect(new Set(yield* ledgersOf(high, first))).toEqual(new Set([0]))
        expect(Math.max(...normals)).toBeLessThanOrEqual(Math.min(...lows))
      }),
    { channels: 1 },
  )

  tableScene(
    "one merchant's priority is nothing to another's",
    (stage) =>
      Effect.gen(function* () {
        yield* addMerchants(1, 2)
        yield* acceptAll([...many(300, 1, 1), ...many(300, 2, -1)])
        yield* stepAs("one")
        expect(yield* boundByMerchant).toEqual([50, 50])
        yield* drain(stage)
      }),
    { channels: 1 },
    lawsOfMany,
  )
})
