/** State of the program's dependencies, asked anew each time, with a limit on the wait. */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Redis } from "../ports/Redis.ts"
import { Draining } from "./Draining.ts"

const ANSWER_WITHIN_MS = 2000

export type DependencyState = "up" | "down"

export interface HealthState {
  readonly database: DependencyState
  readonly redis: DependencyState
  readonly redisKind: string
  readonly draining: boolean
}

const stateOf = <E, R>(check: Effect.Effect<unknown, E, R>): Effect.Effect<DependencyState, never, R> =>
  check.pipe(
    Effect.timeout(ANSWER_WITHIN_MS),
    Effect.as("up" as const),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logWarning("A dependency is down", cause), "down" as const),
    ),
  )

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
          database: stateOf(sql`SELECT 1`),
          redis: stateOf(redis.ping),
          redisKind: Effect.succeed(redis.kind),
          draining: isDraining,
        },
        { concurrency: "unbounded" },
      ).pipe(Effect.withSpan("Health.check"))
      return Health.of({ check })
    }),
  )
}
