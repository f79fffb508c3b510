/** When ledgers closed and when parts were down, as seen from outside while things happen to the system. */
import { Clock, Effect, type Scope } from "effect"
import { progressNow } from "../support/Books.ts"
import { partOf } from "../support/HomeProcesses.ts"
import { isPartReady, type Place } from "../support/NovaSystem.ts"
import type { Span } from "./Delay.ts"
import type { Program } from "./Strike.ts"

const LOOK_EVERY_MS = 40

/** A part that is not up again after this long fails the run. */
const DOWN_MS_MAX = 90_000

export interface Watch {
  /** When each ledger was first seen, in ms: at most a look later than it closed. */
  readonly closes: ReadonlyArray<number>
  readonly downs: ReadonlyArray<Span & { readonly part: Program }>
  /** Notes a span for which the part was down. */
  readonly noteDown: (part: Program, span: Span) => void
}

const newestLedger = (place: Place) =>
  Effect.promise(async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${place.localnetPort}/`, {
        signal: AbortSignal.timeout(1_000),
      })
      const root = (await response.json()) as { readonly history_latest_ledger?: number }
      return root.history_latest_ledger
    } catch {
      return undefined
    }
  })

/** Watches until the scope ends. */
export const startWatch = (place: Place): Effect.Effect<Watch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const closes: Array<number> = []
    const downs: Array<Span & { readonly part: Program }> = []
    let newest = 0
    const look = Effect.gen(function* () {
      const seen = yield* newestLedger(place)
      if (seen !== undefined && seen > newest) {
        const atMs = yield* Clock.currentTimeMillis
        // Several at once closed since the last look: each of them counts, at the moment when it was seen.
        for (let ledger = newest === 0 ? seen : newest + 1; ledger <= seen; ledger++) closes.push(atMs)
        newest = seen
      }
      yield* Effect.sleep(LOOK_EVERY_MS)
    })
    yield* Effect.forkScoped(Effect.forever(look))
    const noteDown = (part: Program, span: Span) => void downs.push({ ...span, part })
    return { closes, downs, noteDown }
  })

export const pidOf = (place: Place, part: Program): number | undefined =>
  partOf(place.home, part)?.identity.pid

const isUp = (place: Place, part: Program): Effect.Effect<boolean> =>
  part === "postgres"
    ? Effect.map(progressNow(place), (progress) => progress !== undefined)
    : isPartReady(place, part)

/** Waits until the part has another process than `before` and that one answers; notes how long it was down. */
export const awaitNextLife = (
  place: Place,
  watch: Watch,
  part: Program,
  before: number | undefined,
  fromMs: number,
): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (true) {
      const pid = pidOf(place, part)
      if (pid !== undefined && pid !== before && (yield* isUp(place, part))) break
      if ((yield* Clock.currentTimeMillis) - fromMs > DOWN_MS_MAX) {
        return yield* Effect.die(new Error(`${part} is not up again after ${DOWN_MS_MAX} ms`))
      }
      yield* Effect.sleep(LOOK_EVERY_MS)
    }
    watch.noteDown(part, { fromMs, untilMs: yield* Clock.currentTimeMillis })
  })
