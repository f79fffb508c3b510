/** A database that is older than the ledger: what it lost is found on the ledger, and nothing is paid twice. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import { accept, issuances, tally, wallets } from "../support/IssuanceScene.ts"
import { rewards, settle, stepAs } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import { booksBalance, paidTwice, recoverOn, recoverScene, stopWorkers } from "./RecoverScene.ts"

const other = wallets.other.publicKey()

describe("a restored dump", () => {
  recoverScene(
    "rows that were paid after it are confirmed by the proof in the memo, and issuing goes on",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(30))
        yield* settle(stage)
        yield* accept(rewards(120))
        const restore = yield* takeDump
        yield* settle(stage)
        const before = (yield* issuances).filter((row) => row.status === "confirmed")
        expect(before.length).toBe(150)
        yield* restore
        yield* stopWorkers
        expect(yield* tally).toEqual({ confirmed: 30, pending: 120 })
        expect(yield* Effect.flip(ensureChannels())).toMatchObject({ code: "database_older_than_ledger" })

        const { report } = yield* recoverOn(stage)
        expect(report).toMatchObject({ confirmed: 120, held: 0, unmatchedPayments: 0, contradictions: [] })
        // The proof is the very one that was lost.
        const proofs = (rows: typeof before) => rows.map((row) => [row.id, row.tx_hash, row.operation_index])
        expect(proofs((yield* issuances).filter((row) => row.status === "confirmed"))).toEqual(proofs(before))
        yield* ensureChannels()
        yield* accept(rewards(5))
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 155 })
        expect(yield* paidTwice(stage)).toBe(155)
        yield* booksBalance
      }),
  )

  recoverScene("payments of rows that are lost are written down, and what looks like them waits", (stage) =>
    Effect.gen(function* () {
      // 1 to 4 stroops to one wallet, known to the dump; the same amounts are accepted after it, and all are paid.
      yield* accept(rewards(4))
      const restore = yield* takeDump
      yield* accept(rewards(2))
      yield* settle(stage)
      yield* restore
      yield* stopWorkers
      const { report } = yield* recoverOn(stage)
      // One batch paid known and lost rows together, so its memo proves nothing: 1, 2, 3, 4, 1 and 2 stroops.
      expect(report).toMatchObject({ confirmed: 0, held: 4, unmatchedPayments: 6, unmatchedStroops: 13n })
      expect(yield* tally).toEqual({ "held under_review": 4 })
      // What looks like none of them is paid.
      yield* accept(rewards(5, other))
      yield* settle(stage)
      expect(yield* tally).toEqual({ "held under_review": 4, confirmed: 5 })
      expect(yield* paidTwice(stage)).toBe(11)
      yield* booksBalance
    }),
  )

  recoverScene(
    "a dry run says the same and changes nothing; a second run finds nothing left to do",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(10))
        const restore = yield* takeDump
        yield* settle(stage)
        yield* accept(rewards(3, other))
        yield* settle(stage)
        yield* restore
        yield* stopWorkers
        const dry = yield* recoverOn(stage, true)
        expect(dry.report).toMatchObject({ confirmed: 10, unmatchedPayments: 3, held: 0 })
        expect(yield* tally).toEqual({ pending: 10 })
        expect(yield* Effect.flip(ensureChannels())).toMatchObject({ code: "database_older_than_ledger" })
        const real = yield* recoverOn(stage)
        expect(real.report).toMatchObject({ confirmed: 10, unmatchedPayments: 3, held: 0 })
        const again = yield* recoverOn(stage)
        expect(again.report).toMatchObject({ confirmed: 0, unmatchedPayments: 0, held: 0, channels: [] })
        expect(yield* paidTwice(stage)).toBe(13)
      }),
  )

  recoverScene("it refuses while a worker is alive, and names it", (stage) =>
    Effect.gen(function* () {
      yield* accept(rewards(1))
      yield* stepAs("worker-seven")
      expect(yield* Effect.flip(recoverOn(stage))).toMatchObject({ code: "worker_alive" })
    }),
  )
})
