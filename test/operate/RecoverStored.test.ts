/** Batches that were on their way at the dump, and of which Stellar RPC knows nothing any more. */
import { describe, expect } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { accept, issuances, type Meddle, tally, wallets } from "../support/IssuanceScene.ts"
import { asset } from "../support/TestNetwork.ts"
import { makeBlackHole, rewards, settle, stepAs, without } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import { booksBalance, paidTwice, recoverOn, recoverScene, stopWorkers } from "./RecoverScene.ts"

const other = wallets.other.publicKey()

/** A node that has forgotten every transaction, and the ledgers up to now. */
const makeForgetful = () => {
  const node = { hasForgotten: false }
  const meddle: Meddle = (rpc) => ({
    ...rpc,
    getTransaction: (hash) =>
      node.hasForgotten
        ? Effect.map(rpc.getTransaction("00".repeat(32)), (nothing) => ({
            ...nothing,
            oldestLedger: nothing.latestLedger,
          }))
        : rpc.getTransaction(hash),
  })
  return { node, meddle }
}

describe("a batch in flight at the dump", () => {
  const paid = makeForgetful()
  recoverScene(
    "that applied is confirmed by its stored envelope, in the order of its operations",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`UPDATE campaigns SET on_missing_trustline = 'claimable_balance'`
        // Two that are alike: nothing but the stored order tells which operation paid which.
        yield* accept([...rewards(3), ...rewards(1), ...rewards(1, without)])
        yield* stepAs("one")
        const restore = yield* takeDump
        yield* settle(stage)
        const proofs = Effect.map(issuances, (rows) =>
          rows.map((row) => [row.status, row.id, row.tx_hash, row.operation_index]),
        )
        const balances = sql`SELECT issuance_id, balance_id, reclaim_after, status FROM claimable_balances`
        const before = { proofs: yield* proofs, balances: yield* balances }
        expect(before.proofs.map(([status]) => status)).toEqual(Array(5).fill("confirmed"))
        expect(before.balances.length).toBe(1)
        yield* restore
        yield* stopWorkers
        expect(yield* tally).toEqual({ submitted: 5 })
        paid.node.hasForgotten = true
        const { report } = yield* recoverOn(stage)
        expect(report).toMatchObject({ confirmed: 5, unmatchedPayments: 0, contradictions: [] })
        expect({ proofs: yield* proofs, balances: yield* balances }).toEqual(before)
        expect((yield* recoverOn(stage)).report.channels).toEqual([])
        expect(yield* paidTwice(stage)).toBe(5)
        yield* booksBalance
      }),
    paid.meddle,
  )

  const failed = makeForgetful()
  const { hole, meddle } = makeBlackHole()
  recoverScene(
    "that failed ends the guilty as the worker's verdict would, and frees the others",
    (stage) =>
      Effect.gen(function* () {
        yield* accept([...rewards(3), ...rewards(1, other)])
        hole.isDown = true
        yield* stepAs("one")
        hole.isDown = false
        const restore = yield* takeDump
        stage.submit(wallets.other, Operation.changeTrust({ asset, limit: "0" }))
        yield* stage.close
        stage.network.submit(hole.swallowed[0] ?? "")
        yield* stage.close
        yield* restore
        yield* stopWorkers
        expect(yield* tally).toEqual({ submitted: 4 })
        failed.node.hasForgotten = true
        const { report } = yield* recoverOn(stage)
        expect(report).toMatchObject({ confirmed: 0, failed: 1, released: 3, held: 0 })
        // The ledger's own word about the operation: PAYMENT_NO_TRUST (Stellar-transaction.x).
        expect(yield* tally).toEqual({ pending: 3, "failed no_trustline": 1 })
        const sql = yield* SqlClient.SqlClient
        expect(yield* sql`SELECT status, ledger IS NOT NULL AS included FROM stellar_envelopes`).toEqual([
          { status: "applied", included: true },
        ])
        yield* booksBalance
        failed.node.hasForgotten = false
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 3, "failed no_trustline": 1 })
        expect(yield* paidTwice(stage)).toBe(3)
      }),
    (rpc) => failed.meddle(meddle(rpc)),
  )
})
