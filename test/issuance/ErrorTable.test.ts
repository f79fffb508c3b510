/**
 * The design's error table (answers to a sending), row by row on the embedded network: what the worker is to do, and
 * that every ambiguous answer ends in the right verdict. The laws of the scene say after each that nobody was paid
 * twice and nothing was lost.
 *
 * Numbers by hand: a batch of ten operations at the floor offers 1,000 stroops; a fee bump of it has eleven
 * operations (CAP-15), and ten times the rate is 11,000.
 */
import { describe, expect } from "bun:test"
import { Operation, xdr } from "@stellar/stellar-sdk"
import { Effect, Option } from "effect"
import { makeTraffic } from "../../layers/localnet/faults/Traffic.ts"
import { make } from "../../layers/soroban-rpc/SorobanRpcAnswers.ts"
import { type SorobanRpc, SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import { accept, issuances, tally } from "../support/IssuanceScene.ts"
import { rewards, stepAs } from "../support/WorkerScene.ts"
import {
  channelStates,
  control,
  drain,
  envelopes,
  type Handling,
  keyOfChannel,
  leftOut,
  meanwhile,
  rounds,
  type TableStage,
  tableScene,
} from "./TableScene.ts"

/** An answer of the network's that it cannot be brought to by its state. */
const errorResult = (result: xdr.TransactionResultResult, feeCharged = 0n) =>
  new xdr.TransactionResult({ feeCharged, result, ext: xdr.TransactionResultExt.v0() }).toXdr("base64")

const saying =
  (result: xdr.TransactionResultResult): Handling =>
  () =>
    Effect.succeed({
      status: "ERROR",
      hash: "",
      latestLedger: 0,
      errorResultXdr: Option.some(errorResult(result)),
    })

const unanswered = (reason: SorobanRpcError["reason"]) =>
  new SorobanRpcError({ method: "sendTransaction", reason, message: "by the test" })

/** The words of the node itself, through the decoder of the RPC layer. */
const answering =
  (answer: Record<string, unknown>): Handling =>
  (envelopeXdr) =>
    (make(() => Effect.succeed(answer)) as SorobanRpc["Service"]).sendTransaction(envelopeXdr)

const lost =
  (reason: SorobanRpcError["reason"]): Handling =>
  () =>
    unanswered(reason)
const answerLost =
  (reason: SorobanRpcError["reason"]): Handling =>
  (envelopeXdr, deliver) =>
    Effect.andThen(deliver(envelopeXdr), unanswered(reason))

/** Ten rewards, bound and sent once. */
const sendTen = Effect.gen(function* () {
  yield* accept(rewards(10))
  yield* stepAs("one")
})

const expectOneEnvelope = (sends: number) =>
  Effect.gen(function* () {
    const all = yield* envelopes
    expect(all.map(({ status }) => status)).toEqual(["applied"])
    expect(all[0]?.sends).toBe(sends)
    expect(yield* tally).toEqual({ confirmed: 10 })
    expect(yield* channelStates).toEqual(["open", "open"])
    expect(yield* control).toBeNull()
  })

describe("PENDING, DUPLICATE: in flight", () => {
  tableScene("PENDING is sent once, however often the worker looks before the ledger closes", (stage) =>
    Effect.gen(function* () {
      yield* sendTen
      yield* stepAs("one")
      yield* stepAs("one")
      expect(stage.wire.sent.length).toBe(1)
      yield* drain(stage)
      yield* expectOneEnvelope(1)
    }),
  )

  tableScene("a ledger that left it out is followed by the same bytes, and DUPLICATE is waiting", (stage) =>
    Effect.gen(function* () {
      yield* sendTen
      yield* leftOut(stage, rounds(stage, 2))
      expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual(["DUPLICATE"])
      expect(yield* tally).toEqual({ submitted: 10 })
      yield* drain(stage)
      expect(new Set(stage.wire.sent).size).toBe(1)
      yield* expectOneEnvelope(3)
    }),
  )
})

describe("network error, 429, 504: the same bytes again at the same sequence", () => {
  for (const reason of ["unreachable", "timeout", "rate_limited"] as const) {
    tableScene(`${reason}, and the network never got it`, (stage) =>
      Effect.gen(function* () {
        stage.wire.handlings.push(lost(reason))
        yield* sendTen
        expect(yield* tally).toEqual({ submitted: 10 })
        yield* drain(stage)
        expect(stage.wire.sent[1]).toBe(stage.wire.sent[0] ?? "")
        yield* expectOneEnvelope(2)
        expect(stage.alerts).toEqual([])
      }),
    )

    tableScene(`${reason}, and the network has it`, (stage) =>
      Effect.gen(function* () {
        stage.wire.handlings.push(answerLost(reason))
        yield* sendTen
        yield* drain(stage)
        yield* expectOneEnvelope(1)
      }),
    )
  }
})

describe("TRY_AGAIN_LATER: the same bytes in the next ledger, then a fee bump", () => {
  const expectBump = (feeStroops: bigint) =>
    Effect.gen(function* () {
      const [inner, bump, ...others] = yield* envelopes
      expect(others).toEqual([])
      expect(bump).toMatchObject({
        inner_hash: inner?.hash ?? "",
        status: "applied",
        fee_stroops_max: feeStroops,
      })
      expect(bump?.sequence).toBe(inner?.sequence ?? 0n)
      expect(yield* tally).toEqual({ confirmed: 10 })
      expect(new Set((yield* issuances).map(({ tx_hash }) => tx_hash))).toEqual(new Set([bump?.hash ?? ""]))
    })

  tableScene(
    "another transaction of the same channel waits: the second refusal is answered by a bump",
    (stage) =>
      Effect.gen(function* () {
        // Ledgers leave everything out; the queue refuses a second transaction of one source.
        yield* leftOut(
          stage,
          Effect.gen(function* () {
            expect(stage.submit(keyOfChannel(0), Operation.setOptions({})).status).toBe("PENDING")
            yield* sendTen
            expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual(["TRY_AGAIN_LATER"])
            yield* rounds(stage, 1)
            expect(stage.wire.sent[1]).toBe(stage.wire.sent[0] ?? "")
            expect((yield* envelopes).length).toBe(1)
            yield* rounds(stage, 1)
          }),
        )
        expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual([
          "TRY_AGAIN_LATER",
          "PENDING",
        ])
        yield* drain(stage)
        yield* expectBump(11_000n)
      }),
    { channels: 1 },
  )

  tableScene("a hash that was dropped and banned is escaped by a bump", (stage) =>
    Effect.gen(function* () {
      yield* sendTen
      // After four ledgers the queue drops it and bans its hash for ten (TransactionQueue.cpp).
      yield* leftOut(stage, rounds(stage, 4))
      expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual(["TRY_AGAIN_LATER"])
      yield* drain(stage)
      yield* expectBump(11_000n)
    }),
  )
})

/** Others' transactions fill the queue at `bid` stroops an operation. */
const withFullQueue = Effect.fnUntraced(function* (stage: TableStage, bid: number) {
  const traffic = makeTraffic(stage.network)
  traffic.prepare()
  yield* stage.close
  traffic.fill(2, bid)
  return traffic
})

describe("tx_insufficient_fee: bumped to what the answer asks for, within the cap", () => {
  tableScene("a queue full of higher bids", (stage) =>
    Effect.gen(function* () {
      yield* withFullQueue(stage, 2_000)
      yield* sendTen
      // Better than 2,000 for each of ten operations: 20,001 (SurgePricingUtils.cpp, computeBetterFee).
      expect((yield* envelopes).map(({ last_answer }) => last_answer)).toEqual([
        "ERROR tx_insufficient_fee fee:20001",
      ])
      yield* stepAs("one")
      const [inner, bump] = yield* envelopes
      // 20,001 for ten operations is 22,001.1 for eleven.
      expect(bump).toMatchObject({
        inner_hash: inner?.hash ?? "",
        fee_stroops_max: 22_002n,
        last_answer: "PENDING",
      })
      yield* drain(stage)
      expect((yield* envelopes).map(({ status }) => status)).toEqual(["expired", "applied"])
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )

  tableScene(
    "beyond the cap nothing is bumped: it waits until the surge is over",
    (stage) =>
      Effect.gen(function* () {
        yield* withFullQueue(stage, 2_000)
        yield* sendTen
        yield* stepAs("one")
        yield* stepAs("one")
        expect((yield* envelopes).length).toBe(1)
        yield* drain(stage)
        const fees = (yield* envelopes).map(
          ({ fee_stroops_max, inner_hash }) => Number(fee_stroops_max) / (inner_hash === null ? 10 : 11),
        )
        for (const fee of fees) expect(fee).toBeLessThanOrEqual(1_900)
        expect(yield* tally).toEqual({ confirmed: 10 })
      }),
    { feeStroopsMax: 1_900 },
  )
})

describe("tx_bad_seq: first of all, was it ours?", () => {
  tableScene("it was: another node brings the dropped transaction while its bump is on the way", (stage) =>
    Effect.gen(function* () {
      yield* sendTen
      const [inner = ""] = stage.wire.sent
      yield* leftOut(stage, rounds(stage, 4))
      const bringIt = () =>
        stage.closeThrough({
          closeLedger: (at) => stage.network.closeLedger(at, { leaveOut: () => false, bring: [inner] }),
        })
      // The bump is due now, and arrives after the ledger that brought the other.
      stage.wire.handlings.push(meanwhile(stage, bringIt))
      yield* leftOut(stage, rounds(stage, 1))
      const [applied, bump, ...others] = yield* envelopes
      expect(others).toEqual([])
      expect(bump).toMatchObject({ inner_hash: applied?.hash ?? "", last_answer: "ERROR tx_bad_seq" })
      expect(yield* tally).toEqual({ submitted: 10 })
      yield* drain(stage)
      expect((yield* envelopes).map(({ status }) => status)).toEqual(["applied", "expired"])
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )

  tableScene("it was not: the node that refused it lags, and the same bytes are taken later", (stage) =>
    Effect.gen(function* () {
      stage.wire.handlings.push(saying(xdr.TransactionResultResult.txBadSeq()))
      yield* sendTen
      expect(yield* tally).toEqual({ submitted: 10 })
      yield* drain(stage)
      expect(stage.wire.sent[1]).toBe(stage.wire.sent[0] ?? "")
      yield* expectOneEnvelope(2)
    }),
  )
})

describe("tx_too_late: the verdict rule, then built again at the same sequence", () => {
  /** From here on the ledger's time is ahead of the worker's clock, by less and less where ledgers close in time. */
  const setAhead = (stage: TableStage, seconds: number) =>
    Effect.gen(function* () {
      stage.closeThrough({ closeLedger: (at) => stage.network.closeLedger(at + seconds) })
      yield* stage.close
      stage.closeThrough(stage.network)
    })

  tableScene("late for its time bound, it is left alone until its ledger bound proves it expired", (stage) =>
    Effect.gen(function* () {
      yield* setAhead(stage, 270)
      yield* sendTen
      yield* rounds(stage, 11)
      const [late] = yield* envelopes
      expect(late).toMatchObject({ last_answer: "ERROR tx_too_late", status: "signed", sends: 12 })
      expect(yield* tally).toEqual({ submitted: 10 })
      yield* rounds(stage, 1)
      const [expired, rebuilt] = yield* envelopes
      expect([expired?.status, rebuilt?.status]).toEqual(["expired", "signed"])
      expect(rebuilt).toMatchObject({
        inner_hash: null,
        sequence: late?.sequence ?? 0n,
        last_answer: "PENDING",
      })
      yield* drain(stage)
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )

  tableScene("a worker whose clock is three minutes slow pays all the same", (stage) =>
    Effect.gen(function* () {
      yield* setAhead(stage, 180)
      yield* sendTen
      yield* drain(stage)
      expect(yield* envelopes).toMatchObject([{ last_answer: "PENDING", status: "applied" }])
      expect(yield* tally).toEqual({ confirmed: 10 })
    }),
  )
})

describe("FILTERED, tx_internal_error, RPC's InternalError, anything unknown: as no answer, with an alert", () => {
  const cases: ReadonlyArray<readonly [string, Handling]> = [
    ["FILTERED", answering({ status: "FILTERED", hash: "ab", latestLedger: 1 })],
    ["a status that nobody knows yet", answering({ status: "LATER_MAYBE", hash: "ab", latestLedger: 1 })],
    ["RPC's InternalError (-32603)", lost("server_error")],
    ["tx_internal_error", saying(xdr.TransactionResultResult.txInternalError())],
    ["a code that the table does not have", saying(xdr.TransactionResultResult.txSorobanInvalid())],
    [
      "a result that is no XDR",
      answering({ status: "ERROR", hash: "ab", latestLedger: 1, errorResultXdr: "AAAA" }),
    ],
    ["ERROR without a result", answering({ status: "ERROR", hash: "ab", latestLedger: 1 })],
  ]
  for (const [name, handling] of cases) {
    tableScene(`${name}, and the network never got it`, (stage) =>
      Effect.gen(function* () {
        stage.wire.handlings.push(handling)
        yield* sendTen
        expect(yield* tally).toEqual({ submitted: 10 })
        expect(stage.alerts.length).toBeGreaterThan(0)
        yield* drain(stage)
        expect(stage.wire.sent[1]).toBe(stage.wire.sent[0] ?? "")
        yield* expectOneEnvelope(2)
      }),
    )

    tableScene(`${name}, and the network has it`, (stage) =>
      Effect.gen(function* () {
        stage.wire.handlings.push((envelopeXdr, deliver) =>
          Effect.andThen(deliver(envelopeXdr), handling(envelopeXdr, deliver)),
        )
        yield* sendTen
        yield* drain(stage)
        yield* expectOneEnvelope(1)
      }),
    )
  }
})
