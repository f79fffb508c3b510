/** Health and metrics of a worker, on a small server of its own: the same paths as the API's. */
import { Context, Effect, Layer, Ref } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"

/** Whether the worker has done what it must before it can work, and has not been told to stop. */
export class WorkerReady extends Context.Service<WorkerReady, Ref.Ref<boolean>>()(
  "nova/programs/WorkerReady",
) {
  static readonly layer = Layer.effect(WorkerReady, Ref.make(false))
}

/** `/health` says that the process runs, `/health/ready` that it works, `/metrics` what it has done. */
export const workerHealthRoutes = Layer.mergeAll(
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      const ready = yield* WorkerReady
      yield* router.add("GET", "/health", HttpServerResponse.json({ status: "ok" }))
      yield* router.add(
        "GET",
        "/health/ready",
        Effect.flatMap(Ref.get(ready), (isReady) =>
          HttpServerResponse.json(
            { status: isReady ? "ready" : "starting" },
            { status: isReady ? 200 : 503 },
          ),
        ),
      )
    }),
  ),
  PrometheusMetrics.layerHttp(),
)
