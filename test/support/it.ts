/**
 * Effects inside `bun test`.
 *
 *   const { effect, live } = withLayer(Layer.mergeAll(TestDatabase.layer, ...))
 *   effect("on the test clock", () => Effect.gen(function* () { ... yield* TestClock.adjust("1 minute") ... }))
 *   live("on the real clock", () => ...)
 *
 * The layer is built once for the file and released after its last test. A test fails by a failed `expect`, by a typed
 * failure or by a defect.
 */
import { afterAll, it } from "bun:test"
import { Cause, Effect, Exit, type Layer, ManagedRuntime, type Scope } from "effect"
import { TestClock } from "effect/testing"

const finish = <A, E>(exit: Exit.Exit<A, E>): void => {
  if (Exit.isSuccess(exit)) return
  const error = Cause.squash(exit.cause)
  throw error instanceof Error ? error : new Error(Cause.pretty(exit.cause))
}

type Body<R> = () => Effect.Effect<unknown, unknown, R | Scope.Scope>

interface TestOptions {
  /** Milliseconds; the 30 s of `npm test` where it is not given. */
  readonly timeout?: number
}

type Run<R> = (body: Effect.Effect<unknown, unknown, R>) => Promise<Exit.Exit<unknown, unknown>>

const testsBy = <R>(run: Run<R>) => ({
  /** On the test clock: time stands until the test moves it. */
  effect: (name: string, body: Body<R>, options: TestOptions = {}) =>
    it(
      name,
      async () => finish(await run(Effect.scoped(body()).pipe(Effect.provide(TestClock.layer())))),
      options,
    ),
  /** On the real clock. */
  live: (name: string, body: Body<R>, options: TestOptions = {}) =>
    it(name, async () => finish(await run(Effect.scoped(body()))), options),
})

/** The two ways to run a test with this file's layer. To be called once, by the file itself. */
export const withLayer = <R, E>(layer: Layer.Layer<R, E>) => {
  const runtime = ManagedRuntime.make(layer)
  afterAll(() => runtime.dispose())
  return testsBy<R>((body) => runtime.runPromiseExit(body))
}

/** For tests that need no layer. */
export const { effect, live } = testsBy<never>((body) => Effect.runPromiseExit(body))
