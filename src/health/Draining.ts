/**
 * Whether this process has been told to stop. Load balancers need a moment to notice that readiness is gone, so the
 * stop waits `DRAIN_DELAY_MS` before the server closes its port; until then it answers as ever.
 */
import { Context, Effect, Layer, Ref } from "effect"
import * as Settings from "../kernel/Settings.ts"

export class Draining extends Context.Service<
  Draining,
  {
    readonly isDraining: Effect.Effect<boolean>
    /** From now on not ready; returns when the port may close. */
    readonly drain: Effect.Effect<void>
  }
>()("nova/health/Draining") {
  static readonly layer = Layer.effect(
    Draining,
    Effect.gen(function* () {
      const delayMs = yield* Settings.drainDelayMs
      const draining = yield* Ref.make(false)
      return Draining.of({
        isDraining: Ref.get(draining),
        drain: Effect.andThen(Ref.set(draining, true), Effect.sleep(delayMs)),
      })
    }),
  )

  /** Drains when its scope closes. Build it upon what must still work meanwhile: scopes close newest first. */
  static readonly layerOnStop = Layer.effectDiscard(
    Draining.use(({ drain }) => Effect.addFinalizer(() => drain)),
  )
}
