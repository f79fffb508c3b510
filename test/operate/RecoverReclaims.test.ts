/** Claimable balances that were taken back after the dump: their budgets have the amounts again. */
import { describe, expect } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { reclaimBalances } from "../../src/issuance/ClaimableBalances.ts"
import { advanceUpkeep } from "../../src/issuance/UpkeepSteps.ts"
import { listReviews, matchPayment } from "../../src/operate/Review.ts"
import { accept, type TestNetwork, tally, wallets } from "../support/IssuanceScene.ts"
import { asset } from "../support/TestNetwork.ts"
import { rewards, settle, without } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import { booksBalance, recoverOn, recoverScene, stopWorkers } from "./RecoverScene.ts"

/** Seconds; the shortest time that the tests need to let pass. */
const RECLAIM_AFTER = 600

const leaveBalances = SqlClient.SqlClient.use(
  (sql) =>
    sql`UPDATE campaigns SET on_missing_trustline = 'claimable_balance', reclaim_after_s = ${RECLAIM_AFTER}`,
)

/** Past the reclaim time and the minute by which clocks may differ, in ledgers of five seconds. */
const untilDue = (stage: TestNetwork) => Effect.repeat(stage.close, { times: (RECLAIM_AFTER + 60) / 5 + 4 })

const takeBack = Effect.fnUntraced(function* (stage: TestNetwork) {
  yield* reclaimBalances()
  yield* stage.close
  yield* advanceUpkeep()
})

const books = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const balances = yield* sql<{ status: string }>`SELECT status FROM claimable_balances ORDER BY issuance_id`
  const [campaign] = yield* sql<{ spent: bigint }>`SELECT spent_stroops AS spent FROM campaigns`
  const steps = yield* sql`SELECT 1 FROM issuance_events WHERE reason = 'reclaimed'`
  return { balances: balances.map(({ status }) => status), spent: campaign?.spent, steps: steps.length }
})

describe("a balance that was taken back after the dump", () => {
  recoverScene("is ours again, once, whatever runs after it", (stage) =>
    Effect.gen(function* () {
      yield* leaveBalances
      yield* accept([...rewards(2, without), ...rewards(1)])
      yield* settle(stage)
      const restore = yield* takeDump
      yield* untilDue(stage)
      yield* takeBack(stage)
      // 1 and 2 stroops came back; 1 stroop was paid.
      const before = { balances: ["reclaimed", "reclaimed"], spent: 1n, steps: 2 }
      expect(yield* books).toEqual(before)
      yield* restore
      yield* stopWorkers
      expect(yield* books).toEqual({ balances: ["open", "open"], spent: 4n, steps: 0 })
      expect((yield* recoverOn(stage)).report.reclaimed).toBe(2)
      expect(yield* books).toEqual(before)
      expect((yield* recoverOn(stage)).report.reclaimed).toBe(0)
      yield* takeBack(stage)
      expect(yield* books).toEqual(before)
      yield* booksBalance
    }),
  )

  recoverScene(
    "by a transaction that was on its way at the dump: that one has its end, and upkeep goes on",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* leaveBalances
        yield* accept(rewards(1, without))
        yield* settle(stage)
        yield* untilDue(stage)
        yield* reclaimBalances()
        const restore = yield* takeDump
        yield* stage.close
        yield* restore
        yield* stopWorkers
        expect((yield* recoverOn(stage)).report.reclaimed).toBe(1)
        expect(yield* books).toEqual({ balances: ["reclaimed"], spent: 0n, steps: 1 })
        expect(yield* sql`SELECT status FROM upkeep_transactions WHERE purpose = 'reclaim'`).toEqual([
          { status: "applied" },
        ])
        yield* booksBalance
      }),
  )

  recoverScene("and whose reward was lost too: it is known when the reward is matched by hand", (stage) =>
    Effect.gen(function* () {
      yield* leaveBalances
      const restore = yield* takeDump
      yield* accept(rewards(1, without))
      yield* settle(stage)
      yield* untilDue(stage)
      yield* takeBack(stage)
      yield* restore
      yield* leaveBalances
      yield* stopWorkers
      expect((yield* recoverOn(stage)).report).toMatchObject({ unmatchedPayments: 1, reclaimed: 0 })
      const [again = ""] = yield* accept(rewards(1, without))
      const [payment] = (yield* listReviews(10)).payments
      if (payment === undefined) throw new Error("nothing to review")
      yield* matchPayment(payment, again)
      expect(yield* tally).toEqual({ confirmed: 1 })
      expect(yield* books).toEqual({ balances: ["reclaimed"], spent: 0n, steps: 1 })
      yield* booksBalance
    }),
  )

  recoverScene("is not one that its recipient claimed", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* leaveBalances
      yield* accept(rewards(1, without))
      yield* settle(stage)
      const restore = yield* takeDump
      const [balance] = yield* sql<{ balance_id: string }>`SELECT balance_id FROM claimable_balances`
      stage.submit(
        wallets.without,
        Operation.changeTrust({ asset }),
        Operation.claimClaimableBalance({ balanceId: balance?.balance_id ?? "" }),
      )
      yield* stage.close
      yield* untilDue(stage)
      yield* restore
      yield* stopWorkers
      expect((yield* recoverOn(stage)).report.reclaimed).toBe(0)
      yield* takeBack(stage)
      expect(yield* books).toEqual({ balances: ["claimed"], spent: 1n, steps: 0 })
    }),
  )
})
