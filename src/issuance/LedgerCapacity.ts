/**
 * How many operations a ledger of the network holds: no more of ours are in flight at once, because what does not fit
 * into the next ledger waits in the nodes' queues, is dropped from them, and drives up the price of our own places
 * (docs/adr/0007-claims-fees-and-holds.md).
 */
import { Context, Effect, Layer, Option, Ref } from "effect"
import { SorobanRpc } from "../ports/SorobanRpc.ts"

/** Ledgers for which the answer is believed: it changes by votes of the validators. */
const BELIEVED_LEDGERS = 1_000

/** While the network has not said it: no limit. */
const UNKNOWN = 1_000_000

export class LedgerCapacity extends Context.Service<
  LedgerCapacity,
  {
    /** Operations of about this ledger, at most. */
    readonly operationsMax: (ledger: number) => Effect.Effect<number>
  }
>()("nova/issuance/LedgerCapacity") {
  static readonly layer = Layer.effect(
    LedgerCapacity,
    Effect.gen(function* () {
      const rpc = yield* SorobanRpc
      const known = yield* Ref.make({ askedAt: -BELIEVED_LEDGERS, operationsMax: UNKNOWN })
      const operationsMax = Effect.fn("LedgerCapacity.operationsMax")(function* (ledger: number) {
        const last = yield* Ref.get(known)
        if (ledger - last.askedAt < BELIEVED_LEDGERS) return last.operationsMax
        const found = yield* rpc.getLedger(ledger).pipe(Effect.orElseSucceed(Option.none))
        if (Option.isNone(found) || found.value.operationsMax === 0) return last.operationsMax
        yield* Ref.set(known, { askedAt: ledger, operationsMax: found.value.operationsMax })
        return found.value.operationsMax
      })
      return LedgerCapacity.of({ operationsMax })
    }),
  )
}
