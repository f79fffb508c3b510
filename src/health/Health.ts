/** State of the program's dependencies, asked anew each time, with a limit on the wait. */
import { Cause, Context, Effect, Exit, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { Redis } from "../ports/Redis.ts"
import { Draining } from "./Draining.ts"
import { answerOf, outcomeWithin } from "./Impatience.ts"

const ANSWER_WITHIN_MS = 2000

export type DependencyState = "connected" | "disconnected"

export interface HealthState {
  readonly database: DependencyState
  readonly redis: DependencyState
  readonly redisKind: string
  readonly draining: boolean
}

const stateOf = Effect.fnUntraced(function* <E, R>(name: string, check: Effect.Effect<unknown, E, R>) {
  const outcome = yield* outcomeWithin(check, ANSWER_WITHIN_MS)
  if (Option.isSome(answerOf(outcome))) return "connected"
  yield* Effect.logWarning(`The ${name} is down: ${reasonOf(outcome)}`)
  return "disconnected"
})

const reasonOf = (outcome: Option.Option<Exit.Exit<unknown, unknown>>): string => {
  if (Option.isNone(outcome) || Exit.isSuccess(outcome.value))
    return `no answer within ${ANSWER_WITHIN_MS} ms`
  const error = Cause.squash(outcome.value.cause)
  return error instanceof Error ? error.message : String(error)
}

export class Health extends Context.Service<Health, { readonly check: Effect.Effect<HealthState> }>()(
  "nova/health/Health",
) {
  static readonly layer = Layer.effect(
    Health,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const redis = yield* Redis
      const { isDraining } = yield* Draining
      const check = Effect.all(
        {
          database: stateOf("database", sql`SELECT 1`),
          redis: stateOf("redis", redis.ping),
          redisKind: Effect.succeed(redis.kind),
          draining: isDraining,
        },
        { concurrency: "unbounded" },
      ).pipe(Effect.withSpan("Health.check"))
      return Health.of({ check })
    }),
  )
}
