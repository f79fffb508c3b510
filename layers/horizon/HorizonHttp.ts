/**
 * Horizon over HTTP.
 *
 * `HORIZON_URL` may name several servers, separated by commas: the first is preferred, the others are asked when it
 * gives no answer. A submission that is repeated there is the same bytes, which the ledger applies at most once.
 *
 * Invariant: what a backup says of a submission counts only where it speaks for its queue. The preferred server may
 * have taken the bytes before its answer was lost, so a refusal behind it must not hide that nothing is known.
 */
import { Effect, Layer } from "effect"
import { HttpBody, HttpClient, HttpClientRequest, UrlParams } from "effect/http"
import * as Settings from "../../src/kernel/Settings.ts"
import { Horizon, HorizonError } from "../../src/ports/Horizon.ts"
import { type HorizonRequest, type HorizonResponse, make, speaksForQueue } from "./HorizonAnswers.ts"

const toRequest = (base: string, request: HorizonRequest) => {
  const url = `${base}${request.path}`
  if (request.method === "GET") return HttpClientRequest.get(url)
  return HttpClientRequest.setBody(
    HttpClientRequest.post(url),
    HttpBody.urlParams(UrlParams.fromInput(request.form ?? {})),
  )
}

const isServersTrouble = (status: number) => status === 429 || status >= 500

/** Whether the preferred server's response is the answer. Bytes that it could not read, none can. */
const isAnswer = ({ method }: HorizonRequest, response: HorizonResponse) =>
  method === "GET" ? !isServersTrouble(response.status) : speaksForQueue(response) || response.status === 400

const isBackupsAnswer = (request: HorizonRequest, response: HorizonResponse) =>
  request.method === "GET" ? isAnswer(request, response) : speaksForQueue(response)

type Asked = Effect.Effect<HorizonResponse, HorizonError>

/** What one says, or, where that is no answer, what the backup says; where that is none either, the first again. */
const orBackup = (request: HorizonRequest, first: Asked, backup: Asked): Asked => {
  const askBackup = (otherwise: Asked) =>
    Effect.matchEffect(backup, {
      onSuccess: (response) => (isBackupsAnswer(request, response) ? Effect.succeed(response) : otherwise),
      onFailure: () => otherwise,
    })
  return Effect.matchEffect(first, {
    onSuccess: (response) =>
      isAnswer(request, response) ? Effect.succeed(response) : askBackup(Effect.succeed(response)),
    onFailure: (error) => askBackup(Effect.fail(error)),
  })
}

/** The port at base addresses without trailing slashes, in order of preference. */
export const layerUrls = (bases: ReadonlyArray<string>, timeoutMs: number) =>
  Layer.effect(
    Horizon,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const ask = (base: string, operation: string, request: HorizonRequest): Asked =>
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
        )
      return make((operation, request) => {
        // Another friendbot would make a transaction of its own: no repetition of the same bytes.
        const asked = operation === "friendbot" ? bases.slice(0, 1) : bases
        return asked
          .map((base) => ask(base, operation, request))
          .reduce((first, backup) => orBackup(request, first, backup))
      })
    }),
  )

/** The port from `HORIZON_URL`. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const bases = (yield* Settings.horizonUrls).map((url) => url.replace(/\/+$/, ""))
    return layerUrls(bases, yield* Settings.networkTimeoutMs)
  }),
)
