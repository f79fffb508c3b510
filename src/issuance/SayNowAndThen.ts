/** Words about a trouble that lasts: said at once, and then once in a minute rather than in every round. */
import { Clock, Context, Effect, Ref } from "effect"

/** In ms. */
const SAY_EVERY_MS = 60_000

/** When each trouble was last said, by its name, in ms. Whoever runs in rounds provides it; without it all is said. */
export const LastSaid = Context.Reference<Ref.Ref<ReadonlyMap<string, number>> | undefined>(
  "nova/issuance/LastSaid",
  { defaultValue: () => undefined },
)

/** A memory for one who runs in rounds. */
export const makeLastSaid: Effect.Effect<Ref.Ref<ReadonlyMap<string, number>>> = Ref.make<
  ReadonlyMap<string, number>
>(new Map())

/** Says it, unless the same trouble was said within the last minute. */
export const sayNowAndThen = Effect.fnUntraced(function* (trouble: string, words: Effect.Effect<void>) {
  const memory = yield* LastSaid
  if (memory === undefined) return yield* words
  const nowMs = yield* Clock.currentTimeMillis
  const isDue = yield* Ref.modify(memory, (said) => {
    const lastMs = said.get(trouble)
    return lastMs !== undefined && nowMs - lastMs < SAY_EVERY_MS
      ? [false, said]
      : [true, new Map([...said, [trouble, nowMs]])]
  })
  if (isDue) yield* words
})
