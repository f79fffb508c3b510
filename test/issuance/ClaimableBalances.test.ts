/** Rewards left as claimable balances: claimed by their recipient, or taken back with their budget. */
import { describe, expect } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { reclaimBalances } from "../../src/issuance/ClaimableBalances.ts"
import { readTreasury } from "../../src/issuance/LedgerAccounts.ts"
import { advanceUpkeep } from "../../src/issuance/UpkeepSteps.ts"
import { accept, CAMPAIGN, type Meddle, type TestNetwork, tally, wallets } from "../support/IssuanceScene.ts"
import { makeBlackHole, settle, without } from "../support/WorkerScene.ts"
import { stageWithChannels, upkeepRows } from "./UpkeepHarness.ts"

const RECLAIM_AFTER_S = 600

/** Rewards of these amounts for a wallet without a trustline, left as claimable balances. */
const leave = Effect.fnUntraced(function* (stage: TestNetwork, amounts: ReadonlyArray<bigint>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    UPDATE campaigns SET on_missing_trustline = 'claimable_balance', reclaim_after_s = ${RECLAIM_AFTER_S}
    WHERE id = ${CAMPAIGN}`
  const ids = yield* accept(amounts.map((amountStroops) => ({ wallet: without, amountStroops })))
  yield* settle(stage)
  expect(yield* tally).toEqual({ confirmed: amounts.length })
  return ids
})

interface BalanceRow {
  readonly issuance_id: string
  readonly balance_id: string
  readonly status: string
}

const balances = SqlClient.SqlClient.use(
  (sql) => sql<BalanceRow>`SELECT * FROM claimable_balances ORDER BY issuance_id`,
)
const states = Effect.map(balances, (rows) => rows.map(({ status }) => status))

/** Stroops that the campaign has spent, and that the treasury holds. */
const books = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [campaign] = yield* sql<{ spent: bigint; reserved: bigint }>`
    SELECT spent_stroops AS spent, reserved_stroops AS reserved FROM campaigns WHERE id = ${CAMPAIGN}`
  const { treasury } = yield* readTreasury([])
  return [campaign?.spent, campaign?.reserved, 100_000_0000000n - (treasury?.assetStroops ?? 0n)]
})

/** The recipient opens a trustline and takes the balances. */
const claim = (stage: TestNetwork, taken: ReadonlyArray<BalanceRow>) =>
  Effect.gen(function* () {
    stage.trust(wallets.without)
    yield* stage.close
    const sent = stage.submit(
      wallets.without,
      ...taken.map((row) => Operation.claimClaimableBalance({ balanceId: row.balance_id })),
    )
    expect(sent.status).toBe("PENDING")
    yield* stage.close
  })

/** Past the reclaim time, and the minute that clocks may differ by; the ledger's clock moves with it. */
const untilDue = (stage: TestNetwork) =>
  Effect.gen(function* () {
    for (let seconds = 0; seconds < RECLAIM_AFTER_S + 70; seconds += 5) yield* stage.close
  })

describe("a claimable balance", () => {
  stageWithChannels("that its recipient takes in time stays spent", (stage) =>
    Effect.gen(function* () {
      yield* leave(stage, [7n])
      expect(yield* states).toEqual(["open"])
      yield* claim(stage, yield* balances)
      yield* untilDue(stage)
      yield* reclaimBalances()
      expect(yield* states).toEqual(["claimed"])
      expect(yield* upkeepRows("reclaim")).toEqual([])
      expect(yield* books).toEqual([7n, 0n, 7n])
    }),
  )

  stageWithChannels("that nobody takes comes back, and its budget with it", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ids = yield* leave(stage, [7n, 5n])
      expect(yield* books).toEqual([12n, 0n, 12n])
      // Until the minute after its time nothing is tried.
      yield* reclaimBalances()
      expect(yield* upkeepRows("reclaim")).toEqual([])
      yield* untilDue(stage)
      yield* Effect.all([reclaimBalances(), reclaimBalances()], { concurrency: 2 })
      expect(yield* states).toEqual(["open", "open"])
      yield* stage.close
      yield* Effect.all([advanceUpkeep(), advanceUpkeep()], { concurrency: 2 })
      expect(yield* states).toEqual(["reclaimed", "reclaimed"])
      // I4: what was spent is what left the treasury; both are whole again.
      expect(yield* books).toEqual([0n, 0n, 0n])
      const [row] = yield* upkeepRows("reclaim")
      const events = yield* sql`
        SELECT issuance_id, from_status, to_status, detail->>'txHash' AS hash FROM issuance_events
        WHERE reason = 'reclaimed' ORDER BY issuance_id`
      expect(events).toEqual(
        ids.map((issuance_id) => ({
          issuance_id,
          from_status: "confirmed",
          to_status: "confirmed",
          hash: row?.hash ?? "",
        })),
      )
      yield* reclaimBalances()
      expect((yield* upkeepRows("reclaim")).length).toBe(1)
    }),
  )

  stageWithChannels("of a group of which one was taken: the others come back", (stage) =>
    Effect.gen(function* () {
      yield* leave(stage, [7n, 5n, 3n])
      const [first] = yield* balances
      yield* claim(stage, first === undefined ? [] : [first])
      yield* untilDue(stage)
      yield* reclaimBalances()
      yield* stage.close
      yield* advanceUpkeep()
      expect(yield* states).toEqual(["claimed", "reclaimed", "reclaimed"])
      expect(yield* books).toEqual([7n, 0n, 7n])
    }),
  )

  const late = makeBlackHole()
  stageWithChannels(
    "that is taken while ours is on its way: ours fails as a whole, and the rest comes back later",
    (stage) =>
      Effect.gen(function* () {
        yield* leave(stage, [7n, 5n])
        const [first] = yield* balances
        yield* untilDue(stage)
        late.hole.isDown = true
        yield* reclaimBalances()
        late.hole.isDown = false
        yield* claim(stage, first === undefined ? [] : [first])
        // Sent again now, it finds the first one gone (does_not_exist).
        expect(yield* advanceUpkeep()).toBe("open")
        yield* stage.close
        expect(yield* advanceUpkeep()).toBe("free")
        expect((yield* upkeepRows("reclaim")).map(({ status }) => status)).toEqual(["failed"])
        expect(yield* states).toEqual(["open", "open"])
        yield* reclaimBalances()
        expect(yield* states).toEqual(["claimed", "open"])
        yield* TestClock.adjust("10 seconds")
        yield* reclaimBalances()
        yield* stage.close
        yield* advanceUpkeep()
        expect(yield* states).toEqual(["claimed", "reclaimed"])
        expect(yield* books).toEqual([7n, 0n, 7n])
      }),
    { meddle: late.meddle },
  )
})

describe("gone from the ledger", () => {
  stageWithChannels("is not claimed by others while a transaction of ours may have taken it", (stage) =>
    Effect.gen(function* () {
      yield* leave(stage, [7n])
      yield* untilDue(stage)
      yield* reclaimBalances()
      yield* stage.close
      // Ours has applied, but its end is not written down yet: another worker looks.
      yield* reclaimBalances()
      expect(yield* states).toEqual(["open"])
      yield* advanceUpkeep()
      expect(yield* states).toEqual(["reclaimed"])
      expect(yield* books).toEqual([0n, 0n, 0n])
    }),
  )

  let lag: number | undefined
  const lagging: Meddle = (rpc) => ({
    ...rpc,
    getLedgerEntries: (keys) =>
      Effect.map(rpc.getLedgerEntries(keys), (answer) =>
        lag === undefined ? answer : { latestLedger: lag, entries: answer.entries.slice(0, 1) },
      ),
  })
  stageWithChannels(
    "says nothing where the node has not seen it made",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* leave(stage, [7n])
        yield* untilDue(stage)
        const [made] = yield* sql<{ ledger: bigint }>`SELECT ledger FROM reward_issuances`
        lag = Number(made?.ledger ?? 0n) - 1
        yield* reclaimBalances()
        expect(yield* states).toEqual(["open"])
        lag = Number(made?.ledger ?? 0n)
        yield* reclaimBalances()
        expect(yield* states).toEqual(["claimed"])
        lag = undefined
      }),
    { meddle: lagging },
  )
})
