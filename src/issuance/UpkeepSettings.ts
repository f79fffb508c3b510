/** What the upkeep of channels may spend, read once from the settings. Amounts in stroops of XLM. */
import { Context, Effect, Layer } from "effect"
import { STROOPS_PER_UNIT } from "../kernel/Amount.ts"
import * as Settings from "../kernel/Settings.ts"

export class UpkeepSettings extends Context.Service<
  UpkeepSettings,
  {
    /** A channel that can spend less than this is topped up. */
    readonly topUpBelowStroops: bigint
    /** What a channel starts with, and what it is topped up to; above `topUpBelowStroops`. */
    readonly topUpToStroops: bigint
  }
>()("nova/issuance/UpkeepSettings") {
  static readonly layer = Layer.effect(
    UpkeepSettings,
    Effect.gen(function* () {
      const below = BigInt(yield* Settings.channelTopUpBelow) * STROOPS_PER_UNIT
      const to = BigInt(yield* Settings.channelTopUpTo) * STROOPS_PER_UNIT
      return UpkeepSettings.of({
        topUpBelowStroops: below,
        topUpToStroops: to > below ? to : below + STROOPS_PER_UNIT,
      })
    }),
  )
}
