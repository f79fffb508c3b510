/** What strangers, failovers and unreadable answers may not do: strangers' fee bumps, a database that goes back, one channel's trouble. */
import { describe, expect } from "bun:test"
import { type Transaction, TransactionBuilder } from "@stellar/stellar-sdk"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { Batches } from "../../src/issuance/Batches.ts"
import { ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import {
  accept,
  issuances,
  type Meddle,
  sceneLayer,
  setTheScene,
  tally,
  wallets,
} from "../support/IssuanceScene.ts"
import { effect } from "../support/it.ts"
import { distribution, makeTestNetwork, PASSPHRASE, paymentsOf } from "../support/TestNetwork.ts"
import {
  LEASE_MS,
  makeBlackHole,
  openChannels,
  rewards,
  scene,
  settle,
  stepAs,
  termsOf,
  trusting,
  without,
} from "../support/WorkerScene.ts"

describe("strangers", () => {
  const { hole, meddle } = makeBlackHole()
  scene(
    "a fee bump of our envelope by anybody pays it once, and is read as the payment that it is",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(7))
        hole.isDown = true
        yield* stepAs("one")
        hole.isDown = false
        // CAP-15: the fee source of a bump needs no consent of the inner transaction's signers.
        const inner = TransactionBuilder.fromXDR(hole.swallowed[0] ?? "", PASSPHRASE) as Transaction
        const bump = TransactionBuilder.buildFeeBumpTransaction(wallets.other, "2000", inner, PASSPHRASE)
        bump.sign(wallets.other)
        expect(stage.network.submit(bump.toXDR()).status).toBe("PENDING")
        yield* stage.close
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 7 })
        const rows = yield* issuances
        expect(new Set(rows.map((row) => row.tx_hash))).toEqual(
          new Set([Buffer.from(inner.hash()).toString("hex")]),
        )
      }),
    meddle,
  )

  const failed = makeBlackHole()
  scene(
    "a fee bump of a batch that fails names the guilty all the same",
    (stage) =>
      Effect.gen(function* () {
        yield* accept([...rewards(4), ...rewards(1, without)])
        failed.hole.isDown = true
        yield* stepAs("one")
        failed.hole.isDown = false
        const inner = TransactionBuilder.fromXDR(failed.hole.swallowed[0] ?? "", PASSPHRASE) as Transaction
        const bump = TransactionBuilder.buildFeeBumpTransaction(wallets.other, "2000", inner, PASSPHRASE)
        bump.sign(wallets.other)
        expect(stage.network.submit(bump.toXDR()).status).toBe("PENDING")
        yield* stage.close
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 4, "failed no_trustline": 1 })
      }),
    failed.meddle,
  )
})

/** Takes every row, envelope and channel back to how they were, as a failover to an older replica does. */
const remember = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const channels = yield* sql`SELECT id, sequence_signed, sequence_claimed FROM channel_accounts`
  return Effect.gen(function* () {
    for (const { id, sequence_claimed, sequence_signed } of channels) {
      yield* sql`
        UPDATE channel_accounts SET sequence_signed = ${sequence_signed}, sequence_claimed = ${sequence_claimed}
        WHERE id = ${id}`
    }
    yield* sql`DELETE FROM stellar_envelopes`
    yield* sql`
      UPDATE reward_issuances SET status = 'pending', tx_hash = NULL, ledger = NULL, operation_index = NULL,
        confirmed_at = NULL, channel_id = NULL, channel_sequence = NULL`
  })
})

describe("a database that goes back under a running worker", () => {
  const played = (name: string, moved: number) =>
    effect(name, () => {
      const stage = makeTestNetwork()
      return Effect.gen(function* () {
        const batches = yield* Batches
        yield* setTheScene(stage)
        yield* openChannels(stage)
        const goBack = yield* remember
        yield* accept(rewards(moved))
        yield* settle(stage)
        const paid = paymentsOf(stage.network, distribution.publicKey()).length
        expect(paid).toBe(moved)
        yield* goBack
        for (let round = 0; round < 3; round++) {
          yield* Effect.ignore(stepAs("one"))
          yield* stage.close
        }
        expect((yield* batches.work).paused).toBe(true)
        expect(paymentsOf(stage.network, distribution.publicKey()).length).toBe(paid)
        expect(yield* Effect.flip(ensureChannels())).toMatchObject({ code: "database_older_than_ledger" })
      }).pipe(Effect.provide(sceneLayer(stage), { local: true }))
    })
  played("pays nothing again where one channel had moved and three had not", 10)
  played("pays nothing again where all had moved", 400)
})

describe("one channel's trouble", () => {
  let isBroken = false
  const unreadable: Meddle = (rpc) => ({
    ...rpc,
    getTransaction: (hash) =>
      Effect.map(rpc.getTransaction(hash), (transaction) =>
        isBroken
          ? {
              ...transaction,
              included: Option.map(transaction.included, (included) => ({ ...included, resultXdr: "AAAA" })),
            }
          : transaction,
      ),
  })
  scene(
    "a result that cannot be read halts its channel and releases nothing; the others pay on; read at last, it is settled",
    (stage) =>
      Effect.gen(function* () {
        const channels = yield* Channels
        isBroken = true
        yield* accept(rewards(3))
        yield* stepAs("one")
        yield* stage.close
        yield* stepAs("one")
        const halted = (yield* channels.list).filter((row) => row.status === "halted")
        expect(halted.length).toBe(1)
        yield* accept(rewards(150))
        const stepAndClose = Effect.andThen(stepAs("one"), stage.close)
        isBroken = false
        // Not due for another look in the next ledgers: the halted channel looks in one ledger of twelve.
        while (stage.network.latest().sequence % 12 !== 1) yield* stage.close
        yield* Effect.repeat(stepAndClose, { times: 3 })
        expect(yield* tally).toEqual({ confirmed: 150, submitted: 3 })
        yield* Effect.repeat(stepAndClose, { times: 12 })
        expect(yield* tally).toEqual({ confirmed: 153 })
        expect((yield* channels.list).filter((row) => row.status === "halted")).toEqual([])
      }),
    unreadable,
  )

  scene(
    "a batch is filled up at its own sequence only, and never while rows are bound below another",
    (stage) =>
      Effect.gen(function* () {
        const channels = yield* Channels
        const batches = yield* Batches
        const [lease] = yield* channels.lease("one", LEASE_MS)
        if (lease === undefined) throw new Error("no channel")
        yield* accept(rewards(250))
        const terms = termsOf(stage, lease)
        expect(yield* batches.claim(lease, { ...terms, paymentsMax: 60 })).toBe(60)
        expect(yield* batches.claim(lease, terms)).toBe(40)
        expect(yield* batches.claim(lease, terms)).toBe(0)
        expect(yield* batches.claim(lease, { ...terms, sequence: terms.sequence + 1n })).toBe("unfit")
        expect(yield* batches.claim(lease, { ...terms, sequence: terms.sequence - 1n })).toBe("unfit")
        expect(yield* tally).toEqual({ submitted: 100, pending: 150 })
      }),
  )

  scene("a lease that a wrong clock wrote does not bind for ever", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const channels = yield* Channels
      yield* channels.lease("one", LEASE_MS)
      yield* sql`UPDATE channel_accounts SET lease_until = lease_until + interval '1 day'`
      expect((yield* channels.lease("two", LEASE_MS)).length).toBe(2)
    }),
  )
})

describe("the signer's cap", () => {
  scene(
    "no transaction is built above it; a reward that alone is above it waits for a person",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        // 1 to 20 stroops make 210: three transactions at least. The last one fits into none.
        yield* accept([...rewards(20), { wallet: trusting, amountStroops: 101n }])
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 20, "held above_signing_cap": 1 })
        const sums = yield* sql<{ stroops: bigint }>`
          SELECT sum(amount_stroops)::bigint AS stroops FROM reward_issuances WHERE tx_hash IS NOT NULL GROUP BY tx_hash`
        expect(sums.length).toBeGreaterThanOrEqual(3)
        expect(sums.every(({ stroops }) => stroops <= 100n)).toBe(true)
      }),
    undefined,
    { transactionStroopsMax: 100n },
  )
})
