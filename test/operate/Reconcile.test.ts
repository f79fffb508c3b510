/** Ledger and database, one to one: equal after honest work, and every planted difference is named with both sides. */
import { describe, expect } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { reconcile } from "../../src/operate/Reconcile.ts"
import type { Difference } from "../../src/operate/ReconcileBooks.ts"
import { dismissPayment, listReviews, matchPayment } from "../../src/operate/Review.ts"
import { accept, issuances, type TestNetwork, wallets } from "../support/IssuanceScene.ts"
import { asset, distribution, issuer } from "../support/TestNetwork.ts"
import { makeBlackHole, rewards, settle, stepAs, trusting, without } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import { recoverOn, recoverScene, stopWorkers } from "./RecoverScene.ts"

const compare = (sinceLedger?: number) => reconcile({ sinceLedger, say: () => Effect.void })
const other = wallets.other.publicKey()

/** 120 rewards of 1 to 120 stroops, one of them as a claimable balance, and one that cannot be paid. */
const payMany = Effect.fnUntraced(function* (stage: TestNetwork) {
  const sql = yield* SqlClient.SqlClient
  yield* accept([...rewards(119), { wallet: other, amountStroops: 120n }])
  yield* accept(rewards(1, without))
  yield* settle(stage)
  yield* sql`UPDATE campaigns SET on_missing_trustline = 'claimable_balance'`
  yield* accept([{ wallet: without, amountStroops: 5n }])
  yield* settle(stage)
})

/** Changes rows behind the program's back. */
const meddle = <A, E, R>(change: Effect.Effect<A, E, R>) =>
  SqlClient.SqlClient.use((sql) =>
    sql.withTransaction(Effect.andThen(sql`SET LOCAL session_replication_role = replica`, change)),
  )

describe("equal", () => {
  recoverScene("payments and balances of all kinds, and what is no reward", (stage) =>
    Effect.gen(function* () {
      yield* payMany(stage)
      stage.submit(distribution, Operation.payment({ destination: issuer.publicKey(), asset, amount: "3" }))
      yield* stage.close
      const report = yield* compare()
      expect(report).toMatchObject({
        differences: [],
        differencesTotal: 0,
        inFlight: 0,
        equal: 121,
        outside: 1,
      })
      // 1 + 2 + ... + 120 = 7260, and the balance of 5.
      expect(report.equalStroops).toBe(7265n)
      expect(report.outsideStroops).toBe(3_0000000n)
    }),
  )

  recoverScene("nothing of a ledger before the given one is compared", (stage) =>
    Effect.gen(function* () {
      yield* accept(rewards(4))
      yield* settle(stage)
      const [paid] = yield* issuances
      const ledger = Number(paid?.ledger)
      expect(yield* compare(ledger)).toMatchObject({ equal: 4, differencesTotal: 0 })
      expect(yield* compare(ledger + 1)).toMatchObject({ equal: 0, transactions: 0, differencesTotal: 0 })
    }),
  )

  const { hole, meddle: swallow } = makeBlackHole()
  recoverScene(
    "what has applied and waits for its verdict is in flight",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(6))
        hole.isDown = true
        yield* stepAs("one")
        expect(yield* compare()).toMatchObject({ inFlight: 0, equal: 0, differencesTotal: 0 })
        stage.network.submit(hole.swallowed[0] ?? "")
        yield* stage.close
        expect(yield* compare()).toMatchObject({ inFlight: 6, equal: 0, differencesTotal: 0 })
        hole.isDown = false
        yield* settle(stage)
        expect(yield* compare()).toMatchObject({ inFlight: 0, equal: 6, differencesTotal: 0 })
      }),
    swallow,
  )

  recoverScene("after a recovery and its reviews; open payments are differences until then", (stage) =>
    Effect.gen(function* () {
      yield* accept(rewards(1))
      const restore = yield* takeDump
      yield* accept(rewards(1))
      yield* settle(stage)
      yield* restore
      yield* stopWorkers
      yield* recoverOn(stage)
      const open = yield* compare()
      expect(open.differences.map(({ kind }) => kind)).toEqual(["payment_unmatched", "payment_unmatched"])
      const { payments, rows } = yield* listReviews(10)
      const [first, second] = payments
      if (first === undefined || second === undefined || rows[0] === undefined) throw new Error("nothing")
      yield* matchPayment(first, rows[0].issuanceId)
      yield* dismissPayment(second)
      expect(yield* compare()).toMatchObject({ equal: 1, dismissed: 1, differencesTotal: 0 })
    }),
  )
})

describe("different", () => {
  const planted = (
    name: string,
    plant: Effect.Effect<unknown, unknown, SqlClient.SqlClient>,
    kinds: ReadonlyArray<Difference["kind"]>,
  ) =>
    recoverScene(name, (stage) =>
      Effect.gen(function* () {
        yield* payMany(stage)
        yield* meddle(plant)
        const report = yield* compare()
        expect(report.differences.map(({ kind }) => kind).toSorted()).toEqual([...kinds])
        for (const { expected, found } of report.differences) expect(expected).not.toBe(found)
        return report
      }),
    )
  const run = (text: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, unknown>) =>
    SqlClient.SqlClient.use(text)

  planted(
    "another amount in the row",
    run((sql) => sql`UPDATE reward_issuances SET amount_stroops = 8 WHERE amount_stroops = 7`),
    ["budget", "row_differs"],
  )
  planted(
    "another wallet in the row",
    run((sql) => sql`UPDATE reward_issuances SET wallet_address = ${trusting} WHERE amount_stroops = 120`),
    ["row_differs"],
  )
  planted(
    "a row confirmed by an operation that pays nobody",
    run((sql) => sql`UPDATE reward_issuances SET operation_index = 150 WHERE amount_stroops = 7`),
    ["payment_without_row", "row_without_payment"],
  )
  planted(
    "a paid row that is called failed",
    run(
      (sql) => sql`
        UPDATE reward_issuances SET status = 'failed', reason = 'no_trustline', tx_hash = NULL, ledger = NULL,
          operation_index = NULL, confirmed_at = NULL
        WHERE amount_stroops = 7`,
    ),
    ["budget", "history", "payment_without_row"],
  )
  planted(
    "a row confirmed by a transaction that never was",
    run((sql) => sql`UPDATE reward_issuances SET tx_hash = ${"ab".repeat(32)} WHERE amount_stroops = 7`),
    ["payment_without_row", "proof"],
  )
  planted(
    "an envelope applied, by the database's word alone",
    run(
      (sql) => sql`
        WITH forged AS (
          INSERT INTO stellar_envelopes SELECT (
            jsonb_populate_record(e, jsonb_build_object('hash', ${"ab".repeat(32)}::text))).*
          FROM stellar_envelopes e WHERE e.status = 'applied' ORDER BY e.ledger LIMIT 1
          RETURNING hash, ledger
        )
        UPDATE reward_issuances r SET tx_hash = forged.hash, ledger = forged.ledger FROM forged
        WHERE r.amount_stroops = 7`,
    ),
    ["payment_without_row", "row_without_payment"],
  )
  planted(
    "a budget that does not add up",
    run((sql) => sql`UPDATE campaigns SET spent_stroops = spent_stroops + 1`),
    ["budget"],
  )
  planted(
    "a wallet's usage that no row explains",
    run(
      (sql) => sql`
        INSERT INTO campaign_wallet_usage SELECT id, ${trusting}, created_at, 100, 40 FROM campaigns`,
    ),
    ["wallet_usage"],
  )
})
