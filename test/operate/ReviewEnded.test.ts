/** Rewards that ended in the database, and that the ledger has paid: matched by hand, with their budget taken again. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { makeEndIssuance } from "../../src/issuance/EndIssuance.ts"
import { canMove, type IssuanceStatus } from "../../src/issuance/Issuance.ts"
import { listReviews, matchPayment } from "../../src/operate/Review.ts"
import { accept, CAMPAIGN, issuances, type TestNetwork, tally, wallets } from "../support/IssuanceScene.ts"
import { rewards, settle, trusting } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import { booksBalance, paidTwice, recoverOn, recoverScene, stopWorkers } from "./RecoverScene.ts"

const campaign = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ budget: bigint; reserved: bigint; spent: bigint }>`
    SELECT budget_stroops AS budget, reserved_stroops AS reserved, spent_stroops AS spent FROM campaigns`
  return row
})

const cancel = Effect.fnUntraced(function* (id: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ merchant_id: string }>`SELECT merchant_id FROM campaigns`
  yield* makeEndIssuance(sql).cancel({ merchantId: row?.merchant_id ?? "", mode: "test" }, id)
})

/** The history's last line, and whether every line is a move of the state table. */
const lastStep = Effect.fnUntraced(function* (id: string) {
  const sql = yield* SqlClient.SqlClient
  const steps = yield* sql<{ from: IssuanceStatus; to: IssuanceStatus; reason: string; detail: object }>`
    SELECT from_status AS "from", to_status AS "to", reason, detail FROM issuance_events
    WHERE issuance_id = ${id} AND from_status IS NOT NULL ORDER BY id`
  expect(steps.filter(({ from, to }) => !canMove(from, to))).toEqual([])
  return steps.at(-1)
})

/** One reward of 1 stroop, paid after the dump; cancelled in the restored database, which then is recovered. */
const payAndCancel = Effect.fnUntraced(function* (stage: TestNetwork) {
  const sql = yield* SqlClient.SqlClient
  const [id = ""] = yield* accept(rewards(1))
  yield* sql`
    INSERT INTO campaign_wallet_usage (campaign_id, wallet_account, period_start, cap_stroops, used_stroops)
    VALUES (${CAMPAIGN}, ${trusting}, '2026-01-01Z', 1, 1)`
  yield* sql`UPDATE reward_issuances SET cap_period_start = '2026-01-01Z'`
  const restore = yield* takeDump
  yield* settle(stage)
  yield* restore
  yield* stopWorkers
  yield* cancel(id)
  expect(yield* tally).toEqual({ cancelled: 1 })
  const { report } = yield* recoverOn(stage)
  expect(report.contradictions.map(({ issuanceId, status }) => [issuanceId, status])).toEqual([
    [id, "cancelled"],
  ])
  const [payment] = (yield* listReviews(10)).payments
  if (payment === undefined) throw new Error("nothing to review")
  return { id, payment }
})

const usage = SqlClient.SqlClient.use(
  (sql) => sql`SELECT used_stroops AS used, cap_stroops AS cap FROM campaign_wallet_usage`,
)

describe("a reward that was paid and is cancelled here", () => {
  recoverScene("is confirmed, and takes its budget and its part of the cap again", (stage) =>
    Effect.gen(function* () {
      const { id, payment } = yield* payAndCancel(stage)
      const before = yield* campaign
      expect(before).toMatchObject({ reserved: 0n, spent: 0n })
      expect(yield* usage).toEqual([{ used: 0n, cap: 1n }])
      expect(yield* matchPayment(payment, id)).toEqual({ released: [], budgetRaisedStroops: 0n })
      expect(yield* tally).toEqual({ confirmed: 1 })
      expect((yield* issuances)[0]).toMatchObject({ tx_hash: payment.txHash, operation_index: 0 })
      expect(yield* campaign).toEqual({ budget: before?.budget ?? 0n, reserved: 0n, spent: 1n })
      expect(yield* usage).toEqual([{ used: 1n, cap: 1n }])
      expect(yield* lastStep(id)).toMatchObject({
        from: "cancelled",
        to: "confirmed",
        reason: "recovered",
        detail: { txHash: payment.txHash, reviewed: true, budgetRaisedStroops: "0" },
      })
      expect(yield* paidTwice(stage)).toBe(1)
      yield* booksBalance
    }),
  )

  recoverScene("and whose amount was promised away: budget and cap grow by what is missing", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { id, payment } = yield* payAndCancel(stage)
      // A budget of 5, of which 5 are promised again; and a wallet whose cap of 1 is used again.
      yield* accept([{ wallet: wallets.other.publicKey(), amountStroops: 5n }])
      yield* sql`UPDATE campaigns SET budget_stroops = 5`
      yield* sql`UPDATE campaign_wallet_usage SET used_stroops = 1`
      expect((yield* matchPayment(payment, id)).budgetRaisedStroops).toBe(1n)
      expect(yield* campaign).toEqual({ budget: 6n, reserved: 5n, spent: 1n })
      expect(yield* usage).toEqual([{ used: 2n, cap: 2n }])
      expect(yield* lastStep(id)).toMatchObject({ detail: { budgetRaisedStroops: "1" } })
      yield* booksBalance
    }),
  )

  recoverScene("or has failed here: likewise", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { id, payment } = yield* payAndCancel(stage)
      yield* sql`UPDATE reward_issuances SET status = 'failed', reason = 'no_trustline'`
      yield* matchPayment(payment, id)
      expect(yield* lastStep(id)).toMatchObject({ from: "failed", to: "confirmed" })
      expect((yield* issuances)[0]).toMatchObject({ status: "confirmed", reason: null })
      expect(yield* Effect.flip(matchPayment(payment, id))).toMatchObject({ code: "payment_resolved" })
    }),
  )
})
