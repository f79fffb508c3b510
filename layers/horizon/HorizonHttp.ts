/** Horizon over HTTP, at `HORIZON_URL`. */
import { Effect, Layer } from "effect"
import { HttpBody, HttpClient, HttpClientRequest, UrlParams } from "effect/http"
import * as Settings from "../../src/kernel/Settings.ts"
import { Horizon, HorizonError } from "../../src/ports/Horizon.ts"
import { type HorizonRequest, make } from "./HorizonAnswers.ts"

const toRequest = (base: string, request: HorizonRequest) => {
  const url = `${base}${request.path}`
  if (request.method === "GET") return HttpClientRequest.get(url)
  return HttpClientRequest.setBody(
    HttpClientRequest.post(url),
    HttpBody.urlParams(UrlParams.fromInput(request.form ?? {})),
  )
}

/** The port at a base address without a trailing slash. */
export const layerUrl = (base: string, timeoutMs: number) =>
  Layer.effect(
    Horizon,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      return make((operation, request) =>
        client.execute(toRequest(base, request)).pipe(
          Effect.mapError(
            (error) =>
              new HorizonError({ operation, reason: "unreachable", message: `${base}: ${error.message}` }),
          ),
          Effect.flatMap((response) =>
            response.json.pipe(
              Effect.orElseSucceed(() => undefined),
              Effect.map((body) => ({ status: response.status, body })),
            ),
          ),
          Effect.timeoutOrElse({
            duration: timeoutMs,
            orElse: () =>
              Effect.fail(
                new HorizonError({
                  operation,
                  reason: "timeout",
                  message: `${base} gave no answer in ${timeoutMs} ms`,
                }),
              ),
          }),
        ),
      )
    }),
  )

/** The port from `HORIZON_URL`. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const base = (yield* Settings.horizonUrl).replace(/\/+$/, "")
    return layerUrl(base, yield* Settings.networkTimeoutMs)
  }),
)
