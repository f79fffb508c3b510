/**
 * How much of a ledger this worker's batches took: a metric, and nothing else depends on it. A ledger counts once a
 * batch of a later one is settled, because only then all of its batches have been seen.
 */
import { Context, Effect, Layer, Metric, Ref } from "effect"
import { ledgerUtilisation } from "./IssuanceMetrics.ts"
import { LedgerCapacity } from "./LedgerCapacity.ts"

interface Share {
  readonly ledger: number
  readonly operations: number
}

export class LedgerShare extends Context.Service<
  LedgerShare,
  {
    /** Operations of a settled batch that the ledger included. */
    readonly record: (ledger: number, operations: number) => Effect.Effect<void>
  }
>()("nova/issuance/LedgerShare") {
  static readonly layer = Layer.effect(
    LedgerShare,
    Effect.gen(function* () {
      const capacity = yield* LedgerCapacity
      const known = yield* Ref.make<Share>({ ledger: 0, operations: 0 })

      const record = Effect.fn("LedgerShare.record")(function* (ledger: number, operations: number) {
        const last = yield* Ref.get(known)
        if (ledger < last.ledger) return
        if (ledger === last.ledger) {
          return yield* Ref.set(known, { ledger, operations: last.operations + operations })
        }
        const operationsMax = yield* capacity.operationsMax(ledger)
        if (last.ledger > 0) yield* Metric.update(ledgerUtilisation, last.operations / operationsMax)
        yield* Ref.set(known, { ledger, operations })
      })

      return LedgerShare.of({ record })
    }),
  )
}
