/**
 * How much of a ledger this worker's batches took: a metric, and nothing else depends on it. A ledger counts once a
 * batch of a later one is settled, because only then all of its batches have been seen.
 */
import { Context, Effect, Layer, Metric, Option, Ref } from "effect"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import { ledgerUtilisation } from "./IssuanceMetrics.ts"

/** Ledgers for which the network's capacity is believed: it changes by votes of the validators. */
const CAPACITY_LEDGERS = 1_000

interface Share {
  readonly ledger: number
  readonly operations: number
  readonly capacity: number
  readonly askedAt: number
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
      const rpc = yield* SorobanRpc
      const known = yield* Ref.make<Share>({
        ledger: 0,
        operations: 0,
        capacity: 0,
        askedAt: -CAPACITY_LEDGERS,
      })

      const capacityOf = Effect.fnUntraced(function* (last: Share, ledger: number) {
        if (ledger - last.askedAt < CAPACITY_LEDGERS) return last
        const found = yield* rpc.getLedger(ledger).pipe(Effect.orElseSucceed(Option.none))
        return Option.isNone(found) ? last : { ...last, capacity: found.value.operationsMax, askedAt: ledger }
      })

      const record = Effect.fn("LedgerShare.record")(function* (ledger: number, operations: number) {
        const last = yield* capacityOf(yield* Ref.get(known), ledger)
        if (ledger <= last.ledger) {
          const more = ledger === last.ledger ? operations : 0
          return yield* Ref.set(known, { ...last, operations: last.operations + more })
        }
        if (last.capacity > 0) yield* Metric.update(ledgerUtilisation, last.operations / last.capacity)
        yield* Ref.set(known, { ...last, ledger, operations })
      })

      return LedgerShare.of({ record })
    }),
  )
}
