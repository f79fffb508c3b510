/** What a person decides about payments that belong to no row. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { dismissPayment, listReviews, matchPayment } from "../../src/operate/Review.ts"
import { accept, issuances, type TestNetwork, tally, wallets } from "../support/IssuanceScene.ts"
import { rewards, settle } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import { booksBalance, paidTwice, recoverOn, recoverScene, stopWorkers } from "./RecoverScene.ts"

const other = wallets.other.publicKey()

/** Two rows of 1 stroop known to the dump, one of them paid after it together with a lost one: two unmatched. */
const loseSome = Effect.fnUntraced(function* (stage: TestNetwork) {
  yield* accept(rewards(1))
  const restore = yield* takeDump
  yield* accept(rewards(1))
  yield* settle(stage)
  yield* restore
  yield* stopWorkers
  yield* recoverOn(stage)
  const { payments, rows } = yield* listReviews(100)
  expect([payments.length, rows.length, payments[0]?.alike]).toEqual([2, 1, 1])
  const [first, second] = payments
  const [row] = rows
  if (first === undefined || second === undefined || row === undefined) throw new Error("nothing to review")
  return { first, second, row }
})

describe("review", () => {
  recoverScene("a row is matched with the payment that it was, the other payment is dismissed", (stage) =>
    Effect.gen(function* () {
      const { first, row, second } = yield* loseSome(stage)
      expect(yield* matchPayment(second, row.issuanceId)).toEqual({ released: [], budgetRaisedStroops: 0n })
      expect(yield* dismissPayment(first)).toEqual({ released: [] })
      expect((yield* issuances).map((one) => [one.status, one.tx_hash, one.operation_index])).toEqual([
        ["confirmed", second.txHash, second.operationIndex],
      ])
      expect(yield* tally).toEqual({ confirmed: 1 })
      expect((yield* listReviews(100)).total).toEqual({ payments: 0, rows: 0 })
      expect(yield* paidTwice(stage)).toBe(2)
      yield* booksBalance
    }),
  )

  recoverScene("both payments were for lost rewards: only with the last one gone is the row paid", (stage) =>
    Effect.gen(function* () {
      const { first, row, second } = yield* loseSome(stage)
      expect(yield* dismissPayment(first)).toEqual({ released: [] })
      yield* settle(stage)
      expect(yield* tally).toEqual({ "held under_review": 1 })
      expect(yield* dismissPayment(second)).toEqual({ released: [row.issuanceId] })
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 1 })
      expect(yield* paidTwice(stage)).toBe(3)
      yield* booksBalance
    }),
  )

  recoverScene("a row whose campaign is paused meanwhile waits on, for that reason", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { first, second } = yield* loseSome(stage)
      yield* sql`UPDATE campaigns SET status = 'paused'`
      yield* dismissPayment(first)
      yield* dismissPayment(second)
      expect(yield* tally).toEqual({ "held campaign_paused": 1 })
      yield* booksBalance
    }),
  )

  recoverScene("a merchant repeats a request whose row was lost: it waits, and is not paid twice", (stage) =>
    Effect.gen(function* () {
      const restore = yield* takeDump
      yield* accept(rewards(2))
      yield* settle(stage)
      yield* restore
      yield* stopWorkers
      yield* recoverOn(stage)
      // The same two, as new rows; and one that is like none of them.
      const [one] = yield* accept(rewards(2))
      yield* accept(rewards(1, other))
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 1, "held under_review": 2 })
      const { payments } = yield* listReviews(100)
      const payment = payments.find(({ amountStroops }) => amountStroops === 1n)
      if (payment === undefined || one === undefined) throw new Error("nothing to review")
      yield* matchPayment(payment, one)
      expect(yield* tally).toEqual({ confirmed: 2, "held under_review": 1 })
      expect(yield* paidTwice(stage)).toBe(3)
      yield* booksBalance
    }),
  )

  recoverScene("refusals name what is wrong", (stage) =>
    Effect.gen(function* () {
      const { first, row } = yield* loseSome(stage)
      const [unlike = "", ended = ""] = yield* accept([...rewards(1, other), ...rewards(1, other)])
      const code = (expected: string) => expect.objectContaining({ code: expected })
      const nothing = { txHash: "0".repeat(64), operationIndex: 0 }
      expect(yield* Effect.flip(matchPayment(nothing, row.issuanceId))).toEqual(code("payment_not_found"))
      expect(yield* Effect.flip(matchPayment(first, "iss_00000000000000000000000000"))).toEqual(
        code("issuance_not_found"),
      )
      expect(yield* Effect.flip(matchPayment(first, unlike))).toEqual(code("not_alike"))
      yield* settle(stage)
      expect(yield* Effect.flip(matchPayment(first, ended))).toEqual(code("not_alike"))
      yield* matchPayment(first, row.issuanceId)
      expect(yield* Effect.flip(matchPayment(first, row.issuanceId))).toEqual(code("payment_resolved"))
      expect(yield* Effect.flip(dismissPayment(first))).toEqual(code("payment_resolved"))
    }),
  )
})
