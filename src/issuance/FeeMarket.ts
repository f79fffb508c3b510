/**
 * What a place in a ledger has lately cost, asked once for each ledger. Nothing depends on it for safety: without an
 * answer the last one counts, and before the first the lowest bid.
 */
import { Context, Effect, Layer, Ref } from "effect"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import type { ChargedFees } from "./FeeBid.ts"

export class FeeMarket extends Context.Service<
  FeeMarket,
  {
    /** Lately charged, as of about this ledger. */
    readonly charged: (ledger: number) => Effect.Effect<ChargedFees>
  }
>()("nova/issuance/FeeMarket") {
  static readonly layer = Layer.effect(
    FeeMarket,
    Effect.gen(function* () {
      const rpc = yield* SorobanRpc
      const known = yield* Ref.make({ ledger: 0, charged: { p90Stroops: 0n } as ChargedFees })
      const charged = Effect.fn("FeeMarket.charged")(function* (ledger: number) {
        const last = yield* Ref.get(known)
        if (last.ledger >= ledger) return last.charged
        const now = yield* rpc.getFeeStats.pipe(Effect.orElseSucceed(() => last.charged))
        yield* Ref.set(known, { ledger, charged: now })
        return now
      })
      return FeeMarket.of({ charged })
    }),
  )
}
