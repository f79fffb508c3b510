/** What a channel may have been through since the dump: failures, bumps, rebuilt batches, balances, channels unknown. */
import { describe, expect } from "bun:test"
import { Operation, type Transaction, TransactionBuilder } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Batches } from "../../src/issuance/Batches.ts"
import { ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import { listChannels, quarantineChannel } from "../../src/operate/ChannelStatus.ts"
import { accept, issuances, tally, wallets } from "../support/IssuanceScene.ts"
import { asset, PASSPHRASE } from "../support/TestNetwork.ts"
import { makeBlackHole, rewards, settle, stepAs, without } from "../support/WorkerScene.ts"
import { takeDump } from "./Dump.ts"
import {
  booksBalance,
  type MeddleHorizon,
  paidTwice,
  recoverOn,
  recoverScene,
  stopWorkers,
} from "./RecoverScene.ts"

const other = wallets.other.publicKey()
const pass = (stage: { readonly close: Effect.Effect<unknown> }, ledgers: number) =>
  Effect.repeat(stage.close, { times: ledgers - 1 })

describe("since the dump", () => {
  const failing = makeBlackHole()
  recoverScene(
    "a batch failed: nobody was paid by it, and its rows go their way again",
    (stage) =>
      Effect.gen(function* () {
        yield* accept([...rewards(3), ...rewards(1, other)])
        const restore = yield* takeDump
        failing.hole.isDown = true
        yield* stepAs("one")
        failing.hole.isDown = false
        // The trustline goes after the batch was signed, so that the ledger refuses it as a whole.
        stage.submit(wallets.other, Operation.changeTrust({ asset, limit: "0" }))
        yield* stage.close
        stage.network.submit(failing.hole.swallowed[0] ?? "")
        yield* stage.close
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 3, "failed no_trustline": 1 })
        yield* restore
        yield* stopWorkers
        const { report } = yield* recoverOn(stage)
        expect(report.transactions).toEqual({ known: 0, failed: 1, matched: 1, unmatched: 0, gaveUp: 0 })
        expect(yield* tally).toEqual({ confirmed: 3, pending: 1 })
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 3, "failed no_trustline": 1 })
        expect(yield* paidTwice(stage)).toBe(3)
        yield* booksBalance
      }),
    failing.meddle,
  )

  const bumped = makeBlackHole()
  recoverScene(
    "a stranger wrapped a batch in a fee bump: its rows carry the hash of the transaction inside",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(7))
        const restore = yield* takeDump
        bumped.hole.isDown = true
        yield* stepAs("one")
        const inner = TransactionBuilder.fromXDR(bumped.hole.swallowed[0] ?? "", PASSPHRASE) as Transaction
        const bump = TransactionBuilder.buildFeeBumpTransaction(wallets.other, "2000", inner, PASSPHRASE)
        bump.sign(wallets.other)
        stage.network.submit(bump.toXDR())
        yield* stage.close
        yield* restore
        yield* stopWorkers
        expect((yield* recoverOn(stage)).report.confirmed).toBe(7)
        expect(new Set((yield* issuances).map((row) => row.tx_hash))).toEqual(
          new Set([Buffer.from(inner.hash()).toString("hex")]),
        )
        expect(yield* paidTwice(stage)).toBe(7)
      }),
    bumped.meddle,
  )

  const rebuilt = makeBlackHole()
  recoverScene(
    "a batch was in flight at the dump, expired, and was paid by another envelope at the same sequence",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(9))
        rebuilt.hole.isDown = true
        yield* stepAs("one")
        const restore = yield* takeDump
        yield* pass(stage, 6)
        rebuilt.hole.isDown = false
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 9 })
        yield* restore
        yield* stopWorkers
        expect(yield* tally).toEqual({ submitted: 9 })
        expect((yield* recoverOn(stage)).report).toMatchObject({ confirmed: 9, unmatchedPayments: 0 })
        yield* ensureChannels()
        yield* accept(rewards(2))
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 11 })
        expect(yield* paidTwice(stage)).toBe(11)
        yield* booksBalance
      }),
    rebuilt.meddle,
  )

  const alive = makeBlackHole()
  recoverScene(
    "a batch in flight at the dump that nobody paid goes on at its sequence, and is paid once",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(3))
        alive.hole.isDown = true
        yield* stepAs("one")
        const restore = yield* takeDump
        alive.hole.isDown = false
        yield* restore
        yield* stopWorkers
        expect((yield* recoverOn(stage)).report).toMatchObject({ confirmed: 0, held: 0, released: 0 })
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 3 })
        expect(yield* paidTwice(stage)).toBe(3)
      }),
    alive.meddle,
  )

  const moved = makeBlackHole()
  recoverScene(
    "a batch in flight at the dump expired, and its reward was paid elsewhere beside a lost one: it waits",
    (stage) =>
      Effect.gen(function* () {
        const channels = yield* Channels
        yield* accept(rewards(1))
        moved.hole.isDown = true
        yield* stepAs("one")
        const restore = yield* takeDump
        const busy = (yield* listChannels()).find(({ bound }) => bound > 0)?.channelId ?? -1
        yield* quarantineChannel(busy, "its node refuses it")
        yield* pass(stage, 6)
        moved.hole.isDown = false
        yield* stepAs("one")
        yield* accept(rewards(1))
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 2 })
        yield* restore
        yield* stopWorkers
        const { report } = yield* recoverOn(stage)
        expect(report).toMatchObject({ confirmed: 0, held: 1, unmatchedPayments: 2 })
        yield* settle(stage)
        expect(yield* tally).toEqual({ "held under_review": 1 })
        // Nothing that was signed for its channel can apply any more, and the channel pays again.
        const row = (yield* channels.list).find(({ id }) => id === busy)
        expect(row?.sequenceSigned).toBe(stage.sequenceOf(row?.address ?? ""))
        yield* accept(rewards(400, other))
        yield* settle(stage)
        expect(stage.sequenceOf(row?.address ?? "")).toBe((row?.sequenceSigned ?? 0n) + 1n)
        expect(yield* tally).toEqual({ "held under_review": 1, confirmed: 400 })
        expect(yield* paidTwice(stage)).toBe(402)
        yield* booksBalance
      }),
    moved.meddle,
  )

  recoverScene(
    "a reward was left as a claimable balance: it is known again, with its reclaim time",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`UPDATE campaigns SET on_missing_trustline = 'claimable_balance'`
        yield* accept([...rewards(2), ...rewards(1, without)])
        const restore = yield* takeDump
        yield* settle(stage)
        const balances = sql`SELECT issuance_id, balance_id, reclaim_after, status FROM claimable_balances`
        const before = yield* balances
        expect(before.length).toBe(1)
        yield* restore
        yield* stopWorkers
        expect((yield* recoverOn(stage)).report).toMatchObject({ confirmed: 3, unmatchedPayments: 0 })
        expect(yield* balances).toEqual(before)
        expect(yield* paidTwice(stage)).toBe(3)
        yield* booksBalance
      }),
  )

  recoverScene("channels came that the dump does not know: they are found by their index", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* accept(rewards(400))
      const restore = yield* takeDump
      yield* settle(stage)
      yield* restore
      yield* stopWorkers
      yield* sql`DELETE FROM channel_accounts WHERE id >= 2`
      const { report } = yield* recoverOn(stage)
      expect(report).toMatchObject({ confirmed: 400, held: 0, unmatchedPayments: 0 })
      expect(report.channels.filter(({ isNew }) => isNew).map(({ channelId }) => channelId)).toEqual([2, 3])
      yield* ensureChannels()
      yield* accept(rewards(4))
      yield* settle(stage)
      expect(yield* paidTwice(stage)).toBe(404)
      yield* booksBalance
    }),
  )

  recoverScene("it went back under a running worker: the pause is lifted", (stage) =>
    Effect.gen(function* () {
      const batches = yield* Batches
      yield* accept(rewards(250))
      const restore = yield* takeDump
      yield* settle(stage)
      yield* restore
      yield* Effect.ignore(stepAs("one"))
      expect((yield* batches.work).paused).toBe(true)
      yield* stopWorkers
      const { report } = yield* recoverOn(stage)
      expect(report.pauseLifted).toContain("is ahead of this database")
      expect((yield* batches.work).paused).toBe(false)
      expect(yield* tally).toEqual({ confirmed: 250 })
      expect(yield* paidTwice(stage)).toBe(250)
    }),
  )

  let isForgetful = true
  const forgetful: MeddleHorizon = (horizon) => ({
    ...horizon,
    transactions: (address, page) =>
      Effect.map(horizon.transactions(address, page), (records) =>
        isForgetful ? records.slice(0, -1) : records,
      ),
  })
  recoverScene(
    "a Horizon that does not show every transaction: nothing is raised, and issuing stays closed",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(250))
        const restore = yield* takeDump
        yield* settle(stage)
        yield* restore
        yield* stopWorkers
        expect(yield* Effect.flip(recoverOn(stage))).toMatchObject({ _tag: "HistoryIncomplete" })
        expect(yield* Effect.flip(ensureChannels())).toMatchObject({ code: "database_older_than_ledger" })
        isForgetful = false
        expect((yield* recoverOn(stage)).report.confirmed).toBe(250)
        expect(yield* paidTwice(stage)).toBe(250)
      }),
    undefined,
    forgetful,
  )
})
