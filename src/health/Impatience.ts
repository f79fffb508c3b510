/** Asking something that may be silent. */
import { Effect, Exit, Fiber, Option } from "effect"

/**
 * The effect's outcome, or none after `withinMs`. Then it is told to stop, but nobody waits for it: a dependency that
 * does not answer a question may not answer its cancellation either, and `Effect.timeout` would wait for that.
 */
export const outcomeWithin = Effect.fnUntraced(function* <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  withinMs: number,
) {
  const asking = yield* Effect.forkDetach(effect)
  const outcome = yield* Effect.timeoutOption(Fiber.await(asking), withinMs)
  if (Option.isNone(outcome)) asking.interruptUnsafe()
  return outcome
})

/** The value of an outcome that is one. */
export const answerOf = <A, E>(outcome: Option.Option<Exit.Exit<A, E>>): Option.Option<A> =>
  Option.flatMap(outcome, Exit.getSuccess)
