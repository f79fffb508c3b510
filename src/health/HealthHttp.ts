/** Handlers of the health routes and of /metrics. */
import { Clock, Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { PrometheusMetrics } from "effect/observability"
import { NovaApi } from "../api/NovaApi.ts"
import { failWith } from "../api/Problems.ts"
import { Health, type HealthState } from "./Health.ts"
import { QueueDepth } from "./QueueDepth.ts"

/** What keeps the program from answering requests. Redis does not: the database answers in its place. */
const faultsOf = (state: HealthState) => [
  ...(state.draining ? [{ param: "server", message: "is stopping" }] : []),
  ...(state.database === "disconnected" ? [{ param: "database", message: "is out of reach" }] : []),
]

const demandReady = (state: HealthState) => {
  const errors = faultsOf(state)
  return errors.length === 0
    ? Effect.void
    : failWith("server.not_ready", {
        detail: errors.map(({ param, message }) => `The ${param} ${message}.`).join(" "),
        errors,
      })
}

export const layer = HttpApiBuilder.group(
  NovaApi,
  "health",
  Effect.fnUntraced(function* (handlers) {
    const health = yield* Health
    const queueDepth = yield* QueueDepth
    return handlers.handleAll({
      alive: () => Effect.succeed({ status: "ok" as const }),
      ready: Effect.fnUntraced(function* () {
        const state = yield* health.check
        yield* demandReady(state)
        return { status: "ready" as const, database: state.database, redis: state.redis }
      }),
      report: Effect.fnUntraced(function* () {
        const state = yield* health.check
        yield* demandReady(state)
        return {
          status: state.redis === "connected" ? ("healthy" as const) : ("degraded" as const),
          timestamp: new Date(yield* Clock.currentTimeMillis),
          database: state.database,
          redis: state.redis,
          redisKind: state.redisKind,
        }
      }),
      metrics: Effect.fnUntraced(function* () {
        yield* queueDepth.refresh
        return HttpServerResponse.text(yield* PrometheusMetrics.format(), {
          contentType: "text/plain; version=0.0.4; charset=utf-8",
        })
      }),
    })
  }),
)
