/** Each fault, provoked by a plan written by hand and met through the ports, by both kinds of layers. */
import { describe, expect } from "bun:test"
import { TransactionBuilder, xdr } from "@stellar/stellar-sdk"
import { Effect, Option } from "effect"
import type { Fault } from "../../../layers/localnet/faults/FaultPlan.ts"
import { Horizon } from "../../../src/ports/Horizon.ts"
import { SorobanRpc } from "../../../src/ports/SorobanRpc.ts"
import { live } from "../../support/it.ts"
import { PASSPHRASE } from "../../support/TestNetwork.ts"
import {
  alice,
  bob,
  type FaultScene,
  inProcess,
  overHttp,
  payBob,
  sequenceByRpc,
  sequenceOf,
} from "./Scene.ts"

/** Hits every call of the kind from the start, `times` of them. */
const calls = (on: "submit" | "read", times = 1) => ({ ledger: 0, ledgers: 100, skip: 0, times, on })
const submissions = { ledger: 0, ledgers: 100, skip: 0, times: 1 }

const errorCode = (resultXdr: Option.Option<string>) =>
  xdr.TransactionResult.fromXDR(Option.getOrThrow(resultXdr), "base64").result.type

const suite = (name: string, open: typeof inProcess | typeof overHttp) =>
  describe(name, () => {
    const on = (
      what: string,
      faults: ReadonlyArray<Fault>,
      body: (scene: FaultScene) => Effect.Effect<void, unknown, SorobanRpc | Horizon>,
    ) =>
      live(what, () =>
        Effect.gen(function* () {
          const scene = yield* open(...faults)
          yield* Effect.provide(body(scene), scene.layers)
        }),
      )
    const paymentOf = (scene: FaultScene, offset = 1n, bid = 100) =>
      payBob(alice, sequenceOf(scene.truth, alice) + offset, bid)

    on(
      "a lost request did nothing, and its sender cannot know",
      [{ kind: "request_lost", ...calls("submit", 2) }],
      (scene) =>
        Effect.gen(function* () {
          const [rpc, horizon, payment] = [yield* SorobanRpc, yield* Horizon, paymentOf(scene)]
          const byRpc = yield* Effect.flip(rpc.sendTransaction(payment.envelopeXdr))
          expect([byRpc.reason, byRpc.retry]).toEqual(["unreachable", "unknown_outcome"])
          const byHorizon = yield* Effect.flip(horizon.submitAsync(payment.envelopeXdr))
          expect([byHorizon.reason, byHorizon.retry]).toEqual(["unreachable", "unknown_outcome"])
          expect(scene.truth.pendingCount()).toBe(0)
          expect((yield* rpc.sendTransaction(payment.envelopeXdr)).status).toBe("PENDING")
        }),
    )

    on(
      "a lost answer looks the same, but the transaction is in",
      [{ kind: "answer_lost", ...calls("submit") }],
      (scene) =>
        Effect.gen(function* () {
          const [rpc, payment] = [yield* SorobanRpc, paymentOf(scene)]
          const lost = yield* Effect.flip(rpc.sendTransaction(payment.envelopeXdr))
          expect([lost.reason, lost.retry]).toEqual(["unreachable", "unknown_outcome"])
          expect((yield* rpc.sendTransaction(payment.envelopeXdr)).status).toBe("DUPLICATE")
          scene.tick()
          expect((yield* rpc.getTransaction(payment.hash)).status).toBe("SUCCESS")
        }),
    )

    on("Horizon's answer can be lost as well", [{ kind: "answer_lost", ...calls("submit") }], (scene) =>
      Effect.gen(function* () {
        const [horizon, payment] = [yield* Horizon, paymentOf(scene)]
        expect((yield* Effect.flip(horizon.submitAsync(payment.envelopeXdr))).reason).toBe("unreachable")
        expect((yield* horizon.submitAsync(payment.envelopeXdr)).status).toBe("DUPLICATE")
      }),
    )

    for (const reached of [true, false]) {
      on(
        `a 504 ${reached ? "behind which the request went on" : "that kept the request"}`,
        [{ kind: "gateway_timeout", ...calls("submit", 2), reached }],
        (scene) =>
          Effect.gen(function* () {
            const [rpc, horizon] = [yield* SorobanRpc, yield* Horizon]
            const byRpc = yield* Effect.flip(rpc.sendTransaction(paymentOf(scene).envelopeXdr))
            expect([byRpc.reason, byRpc.retry]).toEqual(["timeout", "unknown_outcome"])
            const fromBob = payBob(bob, sequenceOf(scene.truth, bob) + 1n)
            const byHorizon = yield* Effect.flip(horizon.submitAsync(fromBob.envelopeXdr))
            expect([byHorizon.status, byHorizon.retry]).toEqual([504, "unknown_outcome"])
            expect(scene.truth.pendingCount()).toBe(reached ? 2 : 0)
          }),
      )
    }

    on("a 429 for reads, as often as planned", [{ kind: "rate_limited", ...calls("read", 2) }], () =>
      Effect.gen(function* () {
        const [rpc, horizon] = [yield* SorobanRpc, yield* Horizon]
        const byRpc = yield* Effect.flip(rpc.getLatestLedger)
        expect([byRpc.reason, byRpc.retry]).toEqual(["rate_limited", "backoff"])
        const byHorizon = yield* Effect.flip(horizon.account(alice.publicKey()))
        expect([byHorizon.reason, byHorizon.status]).toEqual(["rate_limited", 429])
        expect((yield* rpc.getLatestLedger).sequence).toBeGreaterThan(1)
      }),
    )

    on(
      "calls are skipped, and none is hit outside the window",
      [{ kind: "rate_limited", ledger: 1, ledgers: 1, skip: 1, times: 9, on: "read" }],
      (scene) =>
        Effect.gen(function* () {
          const rpc = yield* SorobanRpc
          const asked = () => Effect.isSuccess(rpc.getLatestLedger)
          expect([yield* asked(), yield* asked()]).toEqual([true, true])
          scene.tick()
          expect([yield* asked(), yield* asked(), yield* asked()]).toEqual([true, false, false])
          scene.tick()
          expect(yield* asked()).toBe(true)
        }),
    )

    on("accepted, then dropped and banned", [{ kind: "dropped", ...submissions }], (scene) =>
      Effect.gen(function* () {
        const [rpc, payment] = [yield* SorobanRpc, paymentOf(scene)]
        const send = Effect.map(rpc.sendTransaction(payment.envelopeXdr), ({ status }) => status)
        expect(yield* send).toBe("PENDING")
        // TRANSACTION_QUEUE_TIMEOUT_LEDGERS 4: it waits for four ledgers, then it is banned.
        scene.tick(3)
        expect(yield* send).toBe("DUPLICATE")
        scene.tick()
        expect((yield* rpc.getTransaction(payment.hash)).status).toBe("NOT_FOUND")
        // TRANSACTION_QUEUE_BAN_LEDGERS 10
        scene.tick(9)
        expect(yield* send).toBe("TRY_AGAIN_LATER")
        scene.tick()
        expect(yield* send).toBe("PENDING")
        scene.tick()
        expect((yield* rpc.getTransaction(payment.hash)).status).toBe("SUCCESS")
      }),
    )

    on(
      "held back for two ledgers, included by the third",
      [{ kind: "late", ...submissions, heldLedgers: 2 }],
      (scene) =>
        Effect.gen(function* () {
          const [rpc, payment] = [yield* SorobanRpc, paymentOf(scene)]
          const before = scene.truth.latest().sequence
          expect((yield* rpc.sendTransaction(payment.envelopeXdr)).status).toBe("PENDING")
          scene.tick(2)
          expect((yield* rpc.getTransaction(payment.hash)).status).toBe("NOT_FOUND")
          scene.tick()
          const found = yield* rpc.getTransaction(payment.hash)
          expect(found.status).toBe("SUCCESS")
          expect(Option.getOrThrow(found.included).ledger).toBe(before + 3)
        }),
    )

    on(
      "forgotten by this node, yet another one has it: a ledger takes it in place of its successor",
      [{ kind: "late", ...submissions, heldLedgers: 6 }],
      (scene) =>
        Effect.gen(function* () {
          const rpc = yield* SorobanRpc
          const [first, second] = [paymentOf(scene), paymentOf(scene, 1n, 101)]
          yield* rpc.sendTransaction(first.envelopeXdr)
          scene.tick(6)
          // The queue has dropped the first, so that another envelope of the same sequence is welcome.
          expect((yield* rpc.sendTransaction(second.envelopeXdr)).status).toBe("PENDING")
          scene.tick()
          expect((yield* rpc.getTransaction(first.hash)).status).toBe("SUCCESS")
          scene.tick()
          expect((yield* rpc.getTransaction(second.hash)).status).toBe("NOT_FOUND")
          const again = yield* rpc.sendTransaction(second.envelopeXdr)
          expect([again.status, errorCode(again.errorResultXdr)]).toEqual(["ERROR", "txBadSeq"])
        }),
    )

    on(
      "a banned hash is refused for ten ledgers, another hash is not",
      [{ kind: "hash_ban", ...submissions }],
      (scene) =>
        Effect.gen(function* () {
          const [rpc, payment] = [yield* SorobanRpc, paymentOf(scene)]
          const send = Effect.map(rpc.sendTransaction(payment.envelopeXdr), ({ status }) => status)
          expect([yield* send, yield* send]).toEqual(["TRY_AGAIN_LATER", "TRY_AGAIN_LATER"])
          expect(scene.truth.pendingCount()).toBe(0)
          scene.tick(9)
          expect(yield* send).toBe("TRY_AGAIN_LATER")
          // A fee bump has a hash of its own (CAP-15).
          const bump = TransactionBuilder.buildFeeBumpTransaction(
            alice,
            "200",
            payment.transaction,
            PASSPHRASE,
          )
          bump.sign(alice)
          expect((yield* rpc.sendTransaction(bump.toXDR())).status).toBe("PENDING")
          scene.tick()
          expect((yield* rpc.getTransaction(payment.hash)).status).toBe("SUCCESS")
        }),
    )

    on(
      "a node that is three ledgers behind tells one older ledger in everything",
      [{ kind: "lag", ledger: 2, ledgers: 1, behindLedgers: 2 }],
      (scene) =>
        Effect.gen(function* () {
          const [rpc, horizon, payment] = [yield* SorobanRpc, yield* Horizon, paymentOf(scene)]
          const before = yield* sequenceByRpc(alice)
          yield* rpc.sendTransaction(payment.envelopeXdr)
          scene.tick(2)
          // Two ledgers later the payment is in the first of them; the node sees neither.
          expect(scene.truth.transaction(payment.hash)?.ledger).toBe(before.latestLedger + 1)
          expect(yield* sequenceByRpc(alice)).toEqual(before)
          expect((yield* rpc.getLatestLedger).sequence).toBe(before.latestLedger)
          const found = yield* rpc.getTransaction(payment.hash)
          expect([found.status, found.latestLedger]).toEqual(["NOT_FOUND", before.latestLedger])
          const account = Option.getOrThrow(yield* horizon.account(alice.publicKey()))
          expect(account.sequence).toBe(before.sequence)
          expect(account.balances).toEqual([{ asset: "native", balanceStroops: 100_000_000_000n }])
          expect((yield* horizon.root).latestLedger).toBe(before.latestLedger)
          expect(
            yield* horizon.payments(alice.publicKey(), { cursor: Option.none(), limit: 10 }),
          ).toHaveLength(1)
          scene.tick()
          expect(yield* sequenceByRpc(alice)).toEqual({
            sequence: before.sequence + 1n,
            balance: 100_000_000_000n - 15_000_000n - 100n,
            latestLedger: before.latestLedger + 3,
          })
          expect((yield* rpc.getTransaction(payment.hash)).status).toBe("SUCCESS")
        }),
    )

    on(
      "a node that is behind refuses the present sequence, and accepts what is over",
      [{ kind: "lag", ledger: 1, ledgers: 1, behindLedgers: 1 }],
      (scene) =>
        Effect.gen(function* () {
          const [rpc, payment, next] = [yield* SorobanRpc, paymentOf(scene), paymentOf(scene, 2n)]
          yield* rpc.sendTransaction(payment.envelopeXdr)
          scene.tick()
          // It has not seen the payment: the sequence after it is one too far, the payment's own still to come.
          const refused = yield* rpc.sendTransaction(next.envelopeXdr)
          expect([refused.status, errorCode(refused.errorResultXdr)]).toEqual(["ERROR", "txBadSeq"])
          const changed = payBob(alice, sequenceOf(scene.truth, alice), 101)
          expect((yield* rpc.sendTransaction(changed.envelopeXdr)).status).toBe("PENDING")
          scene.tick(2)
          expect((yield* rpc.getTransaction(changed.hash)).status).toBe("NOT_FOUND")
          expect((yield* rpc.sendTransaction(next.envelopeXdr)).status).toBe("PENDING")
        }),
    )

    on(
      "a node that lies: not found, while its account has moved",
      [{ kind: "not_found", ledger: 1, ledgers: 2 }],
      (scene) =>
        Effect.gen(function* () {
          const [rpc, payment] = [yield* SorobanRpc, paymentOf(scene)]
          const before = yield* sequenceByRpc(alice)
          yield* rpc.sendTransaction(payment.envelopeXdr)
          scene.tick()
          expect((yield* rpc.getTransaction(payment.hash)).status).toBe("NOT_FOUND")
          expect((yield* sequenceByRpc(alice)).sequence).toBe(before.sequence + 1n)
          scene.tick(2)
          expect((yield* rpc.getTransaction(payment.hash)).status).toBe("SUCCESS")
        }),
    )

    on(
      "a ledger that stalls: time passes, nothing closes, nothing is lost",
      [{ kind: "stall", ledger: 1, intervals: 3 }],
      (scene) =>
        Effect.gen(function* () {
          const [rpc, payment] = [yield* SorobanRpc, paymentOf(scene)]
          scene.tick()
          const { closeTime, sequence } = scene.truth.latest()
          yield* rpc.sendTransaction(payment.envelopeXdr)
          scene.tick(3)
          expect((yield* rpc.getLatestLedger).sequence).toBe(sequence)
          scene.tick()
          const { included } = yield* rpc.getTransaction(payment.hash)
          expect(Option.getOrThrow(included).ledger).toBe(sequence + 1)
          // Four intervals of five seconds after the last one.
          expect(scene.truth.latest().closeTime).toBe(closeTime + 20)
        }),
    )

    on(
      "a fee surge: cheap transactions wait, dear ones do not, and the fee stats tell",
      [{ kind: "fee_surge", ledger: 2, ledgers: 2, bidStroops: 5000, waitingLedgers: 1 }],
      (scene) =>
        Effect.gen(function* () {
          const rpc = yield* SorobanRpc
          expect((yield* rpc.getFeeStats).maxStroops).toBe(100n)
          scene.tick(2)
          const cheap = paymentOf(scene)
          expect((yield* rpc.sendTransaction(cheap.envelopeXdr)).status).toBe("PENDING")
          scene.tick()
          expect((yield* rpc.getTransaction(cheap.hash)).status).toBe("NOT_FOUND")
          // Somebody was left out, so everybody taken paid the lowest bid among them (CAP-5).
          expect((yield* rpc.getFeeStats).maxStroops).toBe(5000n)
          const dear = payBob(bob, sequenceOf(scene.truth, bob) + 1n, 5001)
          yield* rpc.sendTransaction(dear.envelopeXdr)
          scene.tick()
          expect((yield* rpc.getTransaction(dear.hash)).status).toBe("SUCCESS")
          // The surge is over: the last of it, then the cheap one.
          scene.tick(2)
          expect((yield* rpc.getTransaction(cheap.hash)).status).toBe("SUCCESS")
        }),
    )

    on(
      "a fee surge that fills the queue: refused, with the fee that it takes",
      [{ kind: "fee_surge", ledger: 2, ledgers: 3, bidStroops: 700, waitingLedgers: 2 }],
      (scene) =>
        Effect.gen(function* () {
          const rpc = yield* SorobanRpc
          scene.tick(2)
          const refused = yield* rpc.sendTransaction(paymentOf(scene).envelopeXdr)
          const result = xdr.TransactionResult.fromXDR(Option.getOrThrow(refused.errorResultXdr), "base64")
          // One stroop above the cheapest that waits: computeBetterFee, stellar-core SurgePricingUtils.cpp.
          expect([result.result.type, result.feeCharged]).toEqual(["txInsufficientFee", 701n])
          expect((yield* rpc.sendTransaction(paymentOf(scene, 1n, 701).envelopeXdr)).status).toBe("PENDING")
        }),
    )
  })

suite("in process", inProcess)
suite("over HTTP", overHttp)
