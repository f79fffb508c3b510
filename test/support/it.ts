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
import { Cause, Effect, Exit, Layer, ManagedRuntime, type Scope } from "effect"
import { TestClock } from "effect/testing"

const finish = <A, E>(exit: Exit.Exit<A, E>): void => {
  if (Exit.isSuccess(exit)) return
  const error = Cause.squash(exit.cause)
  throw error instanceof Error ? error : new Error(Cause.pretty(exit.cause))
}

type Body<R> = () => Effect.Effect<unknown, unknown, R | Scope.Scope>

interface TestOptions {
  /** Milliseconds; bunfig.toml's 30 s where it is not given. */
  readonly timeout?: number
}

/** The two ways to run a test with this file's layer. */
export const withLayer = <R, E>(layer: Layer.Layer<R, E>) => {
  const runtime = ManagedRuntime.make(layer)
  afterAll(() => runtime.dispose())
  /** On the test clock: time stands until the test moves it. */
  const effect = (name: string, body: Body<R>, options: TestOptions = {}) =>
    it(
      name,
      async () =>
        finish(await runtime.runPromiseExit(Effect.scoped(body()).pipe(Effect.provide(TestClock.layer())))),
      options,
    )
  /** On the real clock. */
  const live = (name: string, body: Body<R>, options: TestOptions = {}) =>
    it(name, async () => finish(await runtime.runPromiseExit(Effect.scoped(body()))), options)
  return { effect, live }
}

/** For tests that need no layer. */
export const { effect, live } = withLayer(Layer.empty)
