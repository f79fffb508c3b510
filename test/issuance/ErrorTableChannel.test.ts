/**
 * The design's error table: answers that speak of the channel. Each is provoked by what really happens to a channel's
 * account between the signature and the arrival of the envelope; the laws say after each that nothing was paid twice.
 */
import { describe, expect } from "bun:test"
import { Asset, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { makeTraffic } from "../../layers/localnet/faults/Traffic.ts"
import { upkeepOnce } from "../../src/programs/IssuanceUpkeep.ts"
import { accept, issuances, tally, wallets } from "../support/IssuanceScene.ts"
import { asset, distribution } from "../support/TestNetwork.ts"
import { rewards, stepAs } from "../support/WorkerScene.ts"
import {
  actAs,
  channelOf,
  channelStates,
  control,
  drain,
  ENVELOPE_LEDGERS,
  envelopes,
  type Handling,
  keyOfChannel,
  meanwhile,
  rounds,
  type TableStage,
  tableScene,
} from "./TableScene.ts"

/** All but 0.00001 XLM of what the channel can spend: its reserve is sponsored. */
const drainChannel = (stage: TableStage) => (channel: Keypair) => {
  actAs(
    stage,
    wallets.other,
    [channel],
    Operation.payment({
      source: channel.publicKey(),
      destination: wallets.other.publicKey(),
      asset: Asset.native(),
      amount: "4.9999900",
    }),
  )
}

describe("tx_insufficient_balance: the channel is topped up, and nothing new is claimed for it", () => {
  tableScene("an envelope whose fee is gone waits with an alert, and is paid after the top-up", (stage) =>
    Effect.gen(function* () {
      stage.wire.handlings.push(meanwhile(stage, drainChannel(stage)))
      yield* accept(rewards(10))
      yield* stepAs("one")
      expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual([
        "ERROR tx_insufficient_balance",
      ])
      expect(stage.alerts.length).toBeGreaterThan(0)
      yield* rounds(stage, 2)
      expect(yield* tally).toEqual({ submitted: 10 })
      expect(yield* channelStates).toEqual(["open", "open"])
      expect(yield* control).toBeNull()
      expect(yield* upkeepOnce).toBe(true)
      yield* stage.close
      yield* upkeepOnce
      yield* drain(stage)
      const all = yield* envelopes
      expect(all.map(({ status }) => status)).toEqual(["applied"])
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )

  tableScene("a channel that cannot pay the fee of a batch gets none; the others go on", (stage) =>
    Effect.gen(function* () {
      drainChannel(stage)(keyOfChannel(0))
      yield* stage.close
      yield* accept(rewards(150))
      yield* stepAs("one")
      expect((yield* envelopes).map(({ channel_id }) => channel_id)).toEqual([1])
      expect(yield* tally).toEqual({ submitted: 100, pending: 50 })
      yield* upkeepOnce
      yield* stage.close
      yield* upkeepOnce
      yield* stepAs("one")
      expect((yield* envelopes).map(({ channel_id }) => channel_id)).toContain(0)
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 150 })
    }),
  )
})

const saying =
  (result: xdr.TransactionResultResult): Handling =>
  () =>
    Effect.succeed({
      status: "ERROR",
      hash: "",
      latestLedger: 0,
      errorResultXdr: Option.some(
        new xdr.TransactionResult({ feeCharged: 0n, result, ext: xdr.TransactionResultExt.v0() }).toXdr(
          "base64",
        ),
      ),
    })

describe("tx_bad_auth, tx_bad_auth_extra, tx_no_source_account, tx_malformed: quarantine", () => {
  const stranger = wallets.other.publicKey()
  const cases: ReadonlyArray<readonly [string, (stage: TableStage) => Handling]> = [
    [
      "tx_bad_auth",
      (stage) =>
        meanwhile(stage, (channel) =>
          actAs(
            stage,
            wallets.other,
            [channel],
            Operation.setOptions({
              source: channel.publicKey(),
              masterWeight: 0,
              signer: { ed25519PublicKey: stranger, weight: 1 },
            }),
          ),
        ),
    ],
    [
      "tx_bad_auth_extra",
      // The channel's signature now suffices for the payments too, and the distribution account's is one too many.
      (stage) =>
        meanwhile(stage, (channel) =>
          actAs(
            stage,
            wallets.other,
            [distribution],
            Operation.setOptions({
              source: distribution.publicKey(),
              signer: { ed25519PublicKey: channel.publicKey(), weight: 1 },
            }),
          ),
        ),
    ],
    ["tx_malformed", () => saying(xdr.TransactionResultResult.txMalformed())],
  ]
  for (const [code, handling] of cases) {
    tableScene(
      `${code}: its rewards stay submitted until they have provably expired, then others pay them`,
      (stage) =>
        Effect.gen(function* () {
          // For the whole life of the envelope.
          const each = handling(stage)
          stage.wire.handlings.push(each)
          if (code === "tx_malformed") {
            for (let ledger = 1; ledger < ENVELOPE_LEDGERS; ledger++) stage.wire.handlings.push(each)
          }
          yield* accept(rewards(10))
          yield* stepAs("one")
          expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual([`ERROR ${code}`])
          expect(yield* channelStates).toEqual(["open", "quarantined"])
          expect(stage.alerts.length).toBeGreaterThan(0)
          // Signed at ledger n, it may apply up to n + 12; the meanwhile of the others took one ledger of that.
          yield* rounds(stage, ENVELOPE_LEDGERS - 2)
          expect(yield* tally).toEqual({ submitted: 10 })
          yield* drain(stage)
          expect(yield* tally).toEqual({ confirmed: 10 })
          expect((yield* envelopes).map(({ channel_id, status }) => [channel_id, status])).toEqual([
            [0, "expired"],
            [1, "applied"],
          ])
          expect(yield* channelStates).toEqual(["open", "quarantined"])
          expect(yield* control).toBeNull()
        }),
    )
  }

  tableScene(
    "tx_no_source_account: the channel is quarantined, and its rewards go to others once none can have applied",
    (stage) =>
      Effect.gen(function* () {
        stage.wire.handlings.push(
          meanwhile(stage, (channel) =>
            actAs(
              stage,
              wallets.other,
              [channel],
              Operation.accountMerge({ source: channel.publicKey(), destination: stranger }),
            ),
          ),
        )
        yield* accept(rewards(10))
        yield* stepAs("one")
        expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual([
          "ERROR tx_no_source_account",
        ])
        expect(yield* channelStates).toEqual(["open", "quarantined"])
        yield* accept(rewards(5))
        // Signed at n, one ledger closed since, n + 12 is the last that may hold it; and its node must know three more.
        yield* rounds(stage, ENVELOPE_LEDGERS + 1)
        expect(yield* tally).toEqual({ confirmed: 5, submitted: 10 })
        expect(stage.alerts.length).toBeGreaterThan(0)
        yield* drain(stage)
        expect(yield* tally).toEqual({ confirmed: 15 })
        expect(yield* channelStates).toEqual(["open", "quarantined"])
        expect(yield* control).toBeNull()
      }),
  )
})

/** Whether the channel's own key counts; else only that of `other`, which is none of ours. */
const setOwnKey = (stage: TableStage, channel: Keypair, isGood: boolean) =>
  actAs(
    stage,
    wallets.trusting,
    [isGood ? wallets.other : channel],
    Operation.setOptions({
      source: channel.publicKey(),
      masterWeight: isGood ? 1 : 0,
      signer: { ed25519PublicKey: wallets.other.publicKey(), weight: isGood ? 0 : 1 },
    }),
  )

describe("the ledger itself refuses the channel: included, failed, and nothing paid", () => {
  tableScene("tx_bad_auth in the very ledger: the channel is quarantined, and others pay at once", (stage) =>
    Effect.gen(function* () {
      let paid = 0
      // In which order a ledger applies is a lot (ApplyTxSorter): again, until the signers change before our batch.
      for (let attempt = 0; attempt < 30 && !(yield* channelStates).includes("quarantined"); attempt++) {
        let changed: Keypair | undefined
        stage.wire.handlings.push((envelopeXdr, deliver) =>
          Effect.tap(deliver(envelopeXdr), () =>
            Effect.sync(() => {
              changed = channelOf(envelopeXdr)
              setOwnKey(stage, changed, false)
            }),
          ),
        )
        yield* accept(rewards(2))
        paid += 2
        yield* stepAs("one")
        yield* stage.close
        yield* stepAs("one")
        if ((yield* tally).confirmed !== paid || changed === undefined) continue
        setOwnKey(stage, changed, true)
        yield* stage.close
      }
      expect(yield* channelStates).toEqual(["open", "quarantined"])
      expect(stage.alerts.length).toBeGreaterThan(0)
      expect(yield* control).toBeNull()
      yield* drain(stage, 3)
      expect(yield* tally).toEqual({ confirmed: paid })
    }),
  )
})

/** A bump is signed because the queue is full of higher bids; then `act` happens, and the ledger takes the bump. */
const bumped = Effect.fnUntraced(function* (stage: TableStage, act: Effect.Effect<void>, others = 0) {
  const traffic = makeTraffic(stage.network)
  traffic.prepare()
  yield* stage.close
  traffic.fill(2, 2_000)
  yield* accept(rewards(10))
  yield* stepAs("one")
  expect((yield* envelopes)[0]?.last_answer).toBe(
    `ERROR tx_insufficient_fee fee:${(10 + others) * 2_000 + 1}`,
  )
  yield* act
  yield* stepAs("one")
})

describe("tx_fee_bump_inner_failed: the inner result is read", () => {
  tableScene("a bump that the ledger takes and fails names the guilty, and the others are paid", (stage) =>
    Effect.gen(function* () {
      const { other, trusting } = wallets
      const [bad = ""] = yield* accept([{ wallet: other.publicKey(), amountStroops: 5n }])
      const removeLine = Effect.sync(() =>
        actAs(
          stage,
          trusting,
          [other],
          Operation.changeTrust({ source: other.publicKey(), asset, limit: "0" }),
        ),
      )
      yield* bumped(stage, Effect.andThen(removeLine, stage.close), 1)
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 10, "failed no_trustline": 1 })
      const [inner, bump] = yield* envelopes
      expect(bump).toMatchObject({ inner_hash: inner?.hash ?? "", status: "applied" })
      expect((yield* issuances).find(({ id }) => id === bad)?.reason).toBe("no_trustline")
    }),
  )

  tableScene("a bump that is refused for its inner transaction is read as that refusal", (stage) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const inner = new xdr.InnerTransactionResult({
        feeCharged: 0n,
        result: xdr.InnerTransactionResultResult.txMalformed(),
        ext: xdr.InnerTransactionResultExt.v0(),
      })
      const pair = new xdr.InnerTransactionResultPair({
        transactionHash: xdr.Hash.fromXdr(new Uint8Array(32)),
        result: inner,
      })
      const refusal = saying(xdr.TransactionResultResult.txFeeBumpInnerFailed(pair))
      yield* bumped(
        stage,
        Effect.sync(() => {
          stage.wire.handlings.push(refusal)
        }),
      )
      expect((yield* envelopes)[1]?.last_answer).toBe("ERROR tx_malformed")
      expect(yield* channelStates).toEqual(["open", "quarantined"])
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 10 })
      expect(yield* sql`SELECT hash FROM stellar_envelopes WHERE status = 'signed'`).toEqual([])
    }),
  )
})
