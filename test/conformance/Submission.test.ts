/**
 * One suite for every layer of Submission: two rails, each over HTTP and in this process, against the embedded
 * network. What can come from one rail only, or over HTTP only, stands in suites of its own below:
 *
 * - RPC alone has JSON-RPC errors: a core that answers what RPC does not know (FILTERED) is its -32603.
 * - Horizon alone refuses by HTTP status: 403 where it takes no submissions, 503 stale_history while its core is out of
 *   sync, 500 for what core says that it does not know. Its 503 with a tx_status is no refusal but TRY_AGAIN_LATER.
 * - In this process nothing is undecodable, unreachable or too slow: there is no wire. A lost call stands for it.
 */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import type { Fault } from "../../layers/localnet/faults/FaultPlan.ts"
import type { Network } from "../../layers/localnet/Network.ts"
import { buildFeeBump } from "../../src/issuance/FeeBump.ts"
import { Submission } from "../../src/ports/Submission.ts"
import { alice, bob, sequenceOf } from "../localnet/faults/Scene.ts"
import { live } from "../support/it.ts"
import { keypairOf } from "../support/TestNetwork.ts"
import { decodeResult, type PaymentChange, paymentOf, type Rail, rails, signedBy } from "./Rails.ts"

const stranger = keypairOf("nobody's account")

/** The first so many submissions meet the fault. */
const firstOnes = (times: number) => ({ ledger: 0, ledgers: 100, skip: 0, times, on: "submit" as const })

interface Stage {
  readonly truth: Network
  readonly tick: () => void
  /** A payment of alice to bob at her next sequence, or so much further. */
  readonly payment: (offset?: bigint, change?: PaymentChange) => ReturnType<typeof paymentOf>
}

const testsOf = ({ open }: Rail) => {
  const on = (
    title: string,
    faults: ReadonlyArray<Fault>,
    body: (stage: Stage) => Effect.Effect<unknown, unknown, Submission>,
  ) =>
    live(title, () =>
      Effect.gen(function* () {
        const { submission, tick, truth } = yield* open(...faults)
        const payment: Stage["payment"] = (offset = 1n, change = {}) =>
          paymentOf(alice, sequenceOf(truth, alice) + offset, bob, change)
        yield* body({ truth, tick, payment }).pipe(Effect.provide(submission, { local: true }))
      }),
    )
  return {
    on,
    submit: (envelopeXdr: string) => Effect.flatMap(Submission, (port) => port.submit(envelopeXdr)),
  }
}

const bumpOf = (innerXdr: string, feeStroops: bigint) =>
  signedBy(alice, buildFeeBump({ innerXdr, feeAddress: alice.publicKey(), feeStroops }))

for (const rail of rails) {
  const { on, submit } = testsOf(rail)

  describe(`${rail.name}: what the queue says`, () => {
    on(
      "PENDING, then DUPLICATE for the same bytes, and a ledger takes them",
      [],
      ({ payment, tick, truth }) =>
        Effect.gen(function* () {
          const { envelopeXdr, hash } = payment()
          expect(yield* submit(envelopeXdr)).toMatchObject({ status: "PENDING", hash })
          expect(yield* submit(envelopeXdr)).toMatchObject({ status: "DUPLICATE", hash })
          tick()
          expect(truth.transaction(hash)?.successful).toBe(true)
        }),
    )

    on("TRY_AGAIN_LATER for a second transaction of one account", [], ({ payment, truth }) =>
      Effect.gen(function* () {
        yield* submit(payment(1n).envelopeXdr)
        const { envelopeXdr, hash } = payment(2n)
        expect(yield* submit(envelopeXdr)).toMatchObject({ status: "TRY_AGAIN_LATER", hash })
        expect(truth.pendingCount()).toBe(1)
      }),
    )

    on(
      "a fee bump goes by its own hash, and takes the place of what it wraps",
      [],
      ({ payment, tick, truth }) =>
        Effect.gen(function* () {
          const inner = payment()
          yield* submit(inner.envelopeXdr)
          // Two operations at ten times 100 stroops.
          const bump = bumpOf(inner.envelopeXdr, 2_000n)
          expect(yield* submit(bump.envelopeXdr)).toMatchObject({ status: "PENDING", hash: bump.hash })
          // The queue takes the transaction inside a waiting bump for the same one (core's isDuplicateTx).
          expect((yield* submit(inner.envelopeXdr)).status).toBe("DUPLICATE")
          tick()
          expect(truth.transaction(inner.hash)?.hash).toBe(bump.hash)
        }),
    )
  })

  describe(`${rail.name}: an ERROR carries its result`, () => {
    const refused = (
      code: string,
      envelopeOf: (stage: Stage) => string,
      prepare: (stage: Stage) => Effect.Effect<unknown, unknown, Submission> = () => Effect.void,
    ) =>
      on(code, [], (stage) =>
        Effect.gen(function* () {
          yield* prepare(stage)
          const { errorResultXdr, status } = yield* submit(envelopeOf(stage))
          expect(status).toBe("ERROR")
          expect(decodeResult(errorResultXdr).result.type as string).toBe(code)
        }),
      )

    refused("txBadSeq", ({ payment }) => payment(7n).envelopeXdr)
    refused("txTooLate", ({ payment }) => payment(1n, { maxTime: 1 }).envelopeXdr)
    refused("txBadAuth", ({ payment }) => payment(1n, { signer: bob }).envelopeXdr)
    refused("txNoAccount", () => paymentOf(stranger, 1n, bob).envelopeXdr)
    // A whole fee below zero is no fee (core's FeeBumpTransactionFrame).
    refused("txMalformed", ({ payment }) => bumpOf(payment().envelopeXdr, -1n).envelopeXdr)
    refused(
      "txInsufficientBalance",
      // 400 XLM of the 10 that she kept.
      ({ payment }) => payment(1n, { feeStroops: 4_000_000_000 }).envelopeXdr,
      ({ payment, tick }) =>
        submit(payment(1n, { amount: "9990" }).envelopeXdr).pipe(Effect.andThen(Effect.sync(tick))),
    )

    on("txInsufficientFee, which states the least fee", [], ({ payment }) =>
      Effect.gen(function* () {
        const inner = payment()
        yield* submit(inner.envelopeXdr)
        const { errorResultXdr } = yield* submit(bumpOf(inner.envelopeXdr, 1_999n).envelopeXdr)
        const { feeCharged, result } = decodeResult(errorResultXdr)
        expect([result.type, feeCharged]).toEqual(["txInsufficientFee", 2_000n])
      }),
    )
  })

  describe(`${rail.name}: no answer`, () => {
    on("a lost answer hides a transaction that waits", [{ kind: "answer_lost", ...firstOnes(1) }], (stage) =>
      Effect.gen(function* () {
        const { envelopeXdr } = stage.payment()
        const error = yield* Effect.flip(submit(envelopeXdr))
        expect([error.reason, error.retry]).toEqual(["unreachable", "unknown_outcome"])
        expect((yield* submit(envelopeXdr)).status).toBe("DUPLICATE")
      }),
    )

    on("a lost request looks the same", [{ kind: "request_lost", ...firstOnes(1) }], (stage) =>
      Effect.gen(function* () {
        const { envelopeXdr } = stage.payment()
        const error = yield* Effect.flip(submit(envelopeXdr))
        expect([error.reason, error.retry]).toEqual(["unreachable", "unknown_outcome"])
        expect((yield* submit(envelopeXdr)).status).toBe("PENDING")
      }),
    )

    on("429", [{ kind: "rate_limited", ...firstOnes(1) }], ({ payment }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(submit(payment().envelopeXdr))
        expect([error.reason, error.retry]).toEqual(["rate_limited", "unknown_outcome"])
      }),
    )

    for (const reached of [true, false]) {
      on(
        `504, ${reached ? "carried out" : "not carried out"}`,
        [{ kind: "gateway_timeout", ...firstOnes(1), reached }],
        ({ payment, truth }) =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(submit(payment().envelopeXdr))
            expect([error.reason, error.retry]).toEqual(["timeout", "unknown_outcome"])
            expect(truth.pendingCount()).toBe(reached ? 1 : 0)
          }),
      )
    }

    on("what is no envelope is refused for good", [], ({ truth }) =>
      Effect.gen(function* () {
        for (const text of ["AAAA", "no base64!"]) {
          const error = yield* Effect.flip(submit(text))
          expect([error.reason, error.retry]).toEqual(["invalid_request", "never"])
        }
        expect(truth.pendingCount()).toBe(0)
      }),
    )
  })
}
