/** Routes for load balancers, monitors and people who ask whether it runs. They need no key. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Instant } from "../kernel/Instant.ts"
import { NoQuery } from "./Lists.ts"
import { problem } from "./Problems.ts"
import { NoBody } from "./RequestRules.ts"

const DependencyState = Schema.Literals(["connected", "disconnected"])

const alive = HttpApiEndpoint.get("alive", "/health", {
  query: NoQuery,
  success: Schema.Struct({ status: Schema.Literal("ok") }),
})
  .middleware(NoBody)
  .annotateMerge(OpenApi.annotations({ summary: "The process runs; asks nothing of its dependencies" }))

const ready = HttpApiEndpoint.get("ready", "/health/ready", {
  query: NoQuery,
  success: Schema.Struct({
    status: Schema.Literal("ready"),
    database: DependencyState,
    redis: DependencyState,
  }),
  error: [problem("server.not_ready")],
})
  .middleware(NoBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: "The process can answer requests",
      description:
        "503 while the database is out of reach, and from the moment that the process is told to stop. Redis being down is no reason: it only makes answers slower.",
    }),
  )

const report = HttpApiEndpoint.get("report", "/api/v1/health", {
  query: NoQuery,
  success: Schema.Struct({
    status: Schema.Literals(["healthy", "degraded"]),
    timestamp: Instant,
    database: DependencyState,
    redis: DependencyState,
    redisKind: Schema.String.annotate({ description: "memory inside one process, redis across replicas" }),
  }).annotate({ identifier: "HealthReport" }),
  error: [problem("server.not_ready")],
})
  .middleware(NoBody)
  .annotateMerge(OpenApi.annotations({ summary: "State of the gateway and its dependencies" }))

const metrics = HttpApiEndpoint.get("metrics", "/metrics", {
  query: NoQuery,
  success: Schema.String.pipe(
    HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" }),
  ),
})
  .middleware(NoBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Metrics in Prometheus' text format",
      description: "Needs no key: let only your monitoring network reach it.",
    }),
  )

export class HealthRoutes extends HttpApiGroup.make("health")
  .add(alive, ready, report, metrics)
  .annotateMerge(OpenApi.annotations({ title: "Health" })) {}
