/** The worker's steps on a real database and the embedded network, ledger by ledger. */
import { describe, expect } from "bun:test"
import { Operation } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { channelKeypair } from "../../layers/signer/ChannelKeys.ts"
import { Batches } from "../../src/issuance/Batches.ts"
import { ensureChannels } from "../../src/issuance/ChannelCreation.ts"
import { Channels, type LeaseLost } from "../../src/issuance/Channels.ts"
import { IssuanceControl } from "../../src/issuance/IssuanceControl.ts"
import { accept, issuances, tally, wallets } from "../support/IssuanceScene.ts"
import { asset, distribution, issuer, keypairOf } from "../support/TestNetwork.ts"
import {
  burn,
  LEASE_MS,
  losingAnswers,
  makeBlackHole,
  rewards,
  scene,
  settle,
  stepAs,
  termsOf,
  without,
} from "../support/WorkerScene.ts"

describe("batches", () => {
  scene("pay everybody, a hundred to a transaction, on every channel", (stage) =>
    Effect.gen(function* () {
      yield* accept(rewards(450))
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 450 })
      const rows = yield* issuances
      expect(new Set(rows.map((row) => row.tx_hash)).size).toBe(5)
      // Four channels of a hundred fit into the first ledger, the rest into the one after their verdict.
      expect(new Set(rows.map((row) => row.ledger)).size).toBe(2)
    }),
  )

  scene("a wallet without a trustline fails alone", (stage) =>
    Effect.gen(function* () {
      yield* accept([...rewards(30), ...rewards(3, without), ...rewards(30, wallets.other.publicKey())])
      yield* accept([{ wallet: keypairOf("nobody").publicKey(), amountStroops: 5n }])
      yield* settle(stage)
      expect(yield* tally).toEqual({ confirmed: 60, "failed no_trustline": 3, "failed no_account": 1 })
    }),
  )

  scene(
    "lost answers pay nobody twice",
    (stage) =>
      Effect.gen(function* () {
        yield* accept(rewards(250))
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 250 })
      }),
    losingAnswers,
  )
})

describe("expiry", () => {
  const { hole, meddle } = makeBlackHole()
  scene(
    "an envelope that never arrived is built again at the same sequence, only after its last ledger",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        hole.isDown = true
        yield* accept(rewards(10))
        yield* stepAs("one")
        const [bound] = yield* issuances
        for (let ledger = 0; ledger < 3; ledger++) {
          yield* stage.close
          yield* stepAs("one")
        }
        const alone = yield* sql`SELECT hash FROM stellar_envelopes`
        expect(alone.length).toBe(1)
        hole.isDown = false
        yield* stage.close
        // The lost one turns up at last: its ledger bound is over (CAP-21), and the network refuses it.
        expect(stage.network.submit(hole.swallowed[0] ?? "").status).toBe("ERROR")
        yield* stepAs("one")
        const both = yield* sql<{ status: string; sequence: bigint }>`
          SELECT status, sequence FROM stellar_envelopes ORDER BY created_at`
        expect(both.map(({ status }) => status)).toEqual(["expired", "signed"])
        expect(new Set(both.map(({ sequence }) => sequence))).toEqual(
          new Set([bound?.channel_sequence ?? -1n]),
        )
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 10 })
      }),
    meddle,
  )

  const late = makeBlackHole()
  scene(
    "one that arrives in its last possible ledger settles, without a second",
    (stage) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        late.hole.isDown = true
        yield* accept(rewards(10))
        yield* stepAs("one")
        const [envelope] = yield* sql<{ ledger_max: bigint }>`SELECT ledger_max FROM stellar_envelopes`
        while (BigInt(stage.network.latest().sequence + 2) < (envelope?.ledger_max ?? 0n)) {
          yield* stage.close
          yield* stepAs("one")
        }
        expect(stage.network.submit(late.hole.swallowed[0] ?? "").status).toBe("PENDING")
        yield* stage.close
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 10 })
        expect((yield* sql`SELECT hash FROM stellar_envelopes`).length).toBe(1)
      }),
    late.meddle,
  )
})

describe("crashes", () => {
  scene("after the claim, before the signature: the next worker signs what is bound", (stage) =>
    Effect.gen(function* () {
      const channels = yield* Channels
      const batches = yield* Batches
      yield* accept(rewards(10))
      const [lease] = yield* channels.lease("one", LEASE_MS)
      if (lease === undefined) throw new Error("no channel")
      expect(yield* batches.claim(lease, termsOf(stage, lease))).toBe(10)
      yield* TestClock.adjust(LEASE_MS + 1)
      yield* settle(stage, "two")
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )

  scene("a worker that slept beyond its lease can write nothing", (stage) =>
    Effect.gen(function* () {
      const channels = yield* Channels
      const batches = yield* Batches
      yield* accept(rewards(10))
      const leases = yield* channels.lease("one", LEASE_MS)
      const [zombie] = leases
      if (zombie === undefined) throw new Error("no channel")
      yield* TestClock.adjust(LEASE_MS + 1)
      expect((yield* channels.lease("two", LEASE_MS)).length).toBe(leases.length)
      expect(yield* channels.lease("one", LEASE_MS)).toEqual([])
      const sequence = stage.sequenceOf(zombie.address) + 1n
      expect(yield* batches.claim(zombie, termsOf(stage, zombie))).toBe("unfit")
      const included = { sequence, hash: "ab".repeat(32), ledger: 9, resultXdr: "AAAA", feeStroops: 100n }
      const envelope = {
        innerHash: null,
        ledgerSigned: 8,
        ledgerMax: 12,
        feeStroopsMax: 100n,
        envelopeXdr: "AAAA",
      }
      const writes: ReadonlyArray<Effect.Effect<unknown, LeaseLost>> = [
        batches.recordSigned(zombie, { ...included, ...envelope, issuanceIds: ["iss_x"] }),
        batches.recordExpired(zombie, [included.hash]),
        batches.settlePaid(zombie, { ...included, issuanceIds: ["iss_x"], balances: [] }),
        batches.settleFailed(zombie, { ...included, code: "tx_failed", ejections: [] }),
        batches.eject(zombie, sequence, []),
        batches.releaseExpired(zombie, sequence),
        channels.setStatus(zombie, "halted", "zombie"),
      ]
      for (const write of writes) {
        expect((yield* Effect.flip(write))._tag).toBe("LeaseLost")
      }
      yield* settle(stage, "two")
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )

  scene("settling twice changes nothing", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const batches = yield* Batches
      const channels = yield* Channels
      const ids = yield* accept(rewards(5))
      yield* settle(stage)
      const [envelope] = yield* sql<{
        hash: string
        ledger: bigint
        result_xdr: string
        channel_id: number
        sequence: bigint
      }>`
        SELECT * FROM stellar_envelopes`
      const lease = (yield* channels.lease("one", LEASE_MS)).find(
        (held) => held.channelId === envelope?.channel_id,
      )
      if (envelope === undefined || lease === undefined) throw new Error("nothing was settled")
      const again = yield* batches.settlePaid(lease, {
        sequence: envelope.sequence,
        hash: envelope.hash,
        ledger: Number(envelope.ledger),
        resultXdr: envelope.result_xdr,
        feeStroops: 500n,
        balances: [],
        issuanceIds: ids,
      })
      expect(again).toEqual([])
    }),
  )
})

describe("what is nobody's fault below", () => {
  scene(
    "what the treasury does not hold is not promised to the ledger: it waits, and nobody fails",
    (stage) =>
      Effect.gen(function* () {
        const batches = yield* Batches
        // 100,000 less this leaves ten stroops: the rewards of 1, 2, 3 and 4.
        stage.submit(distribution, burn("99999.9999990"))
        yield* stage.close
        yield* accept(rewards(20))
        for (let round = 0; round < 4; round++) {
          yield* stepAs("one")
          yield* stage.close
        }
        expect(yield* tally).toEqual({ confirmed: 4, pending: 16 })
        expect((yield* batches.work).paused).toBe(false)
        stage.submit(
          issuer,
          Operation.payment({ destination: distribution.publicKey(), asset, amount: "10" }),
        )
        yield* stage.close
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 20 })
      }),
  )

  const held = makeBlackHole()
  scene(
    "money that leaves the treasury behind our back pauses issuing, and fails nobody",
    (stage) =>
      Effect.gen(function* () {
        const batches = yield* Batches
        const { hole } = held
        hole.isDown = true
        yield* accept(rewards(20))
        yield* stepAs("one")
        stage.submit(distribution, burn("99999.9999999"))
        yield* stage.close
        stage.network.submit(hole.swallowed[0] ?? "")
        hole.isDown = false
        yield* stage.close
        yield* stepAs("one")
        expect((yield* batches.work).paused).toBe(true)
        expect(yield* tally).toEqual({ pending: 20 })
        stage.submit(
          issuer,
          Operation.payment({ destination: distribution.publicKey(), asset, amount: "10" }),
        )
        yield* stage.close
        yield* (yield* IssuanceControl).resume
        yield* settle(stage)
        expect(yield* tally).toEqual({ confirmed: 20 })
      }),
    held.meddle,
  )

  const { hole, meddle } = makeBlackHole()
  scene(
    "a channel that somebody else used is halted, and its issuances wait for a person",
    (stage) =>
      Effect.gen(function* () {
        const channels = yield* Channels
        hole.isDown = true
        yield* accept(rewards(10))
        yield* stepAs("one")
        hole.isDown = false
        // The seed's channel 0 spends the sequence on something that this database never signed.
        const stranger = channelKeypair(new Uint8Array(32).fill(7), 0)
        expect(stage.submit(stranger, Operation.setOptions({})).status).toBe("PENDING")
        // The node must be well beyond that ledger before its "not found" is believed.
        for (let ledger = 0; ledger < 3; ledger++) {
          yield* stage.close
          yield* stepAs("one")
        }
        expect((yield* channels.list)[0]?.status).toBe("open")
        yield* stage.close
        yield* stepAs("one")
        expect((yield* channels.list)[0]?.status).toBe("halted")
        expect(yield* tally).toEqual({ submitted: 10 })
      }),
    meddle,
  )

  scene("a database older than the ledger does not start", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* accept(rewards(10))
      yield* settle(stage)
      yield* sql`UPDATE channel_accounts SET sequence_signed = sequence_signed - 1, sequence_claimed = sequence_claimed - 1
        WHERE id = 0`
      const refusal = yield* Effect.flip(ensureChannels())
      expect(refusal).toMatchObject({ _tag: "IssuanceRefused", code: "database_older_than_ledger" })
    }),
  )
})
