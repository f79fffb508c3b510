/**
 * Stellar RPC over HTTP: JSON-RPC 2.0 by POST.
 *
 * `SOROBAN_RPC_URL` may name several endpoints, separated by commas: the first is preferred, the others are asked
 * when it gives no answer. Asking another one is safe for every method: reads carry the ledger that they speak of,
 * and a submission repeats the same bytes, which the ledger applies at most once.
 */
import { Effect, Layer, Schema } from "effect"
import { HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import * as Settings from "../../src/kernel/Settings.ts"
import { SorobanRpc, SorobanRpcError, type SorobanRpcFailure } from "../../src/ports/SorobanRpc.ts"
import { make } from "./SorobanRpcAnswers.ts"

const Answer = Schema.Struct({
  result: Schema.optionalKey(Schema.Unknown),
  error: Schema.optionalKey(Schema.Struct({ code: Schema.Number, message: Schema.String })),
})

/** JSON-RPC codes that say that the request itself is wrong. */
const INVALID_REQUEST_CODES = [-32600, -32601, -32602, -32700]

const failure = (method: string, reason: typeof SorobanRpcFailure.Type, message: string) =>
  new SorobanRpcError({ method, reason, message })

const readAnswer = Effect.fnUntraced(function* (
  method: string,
  response: HttpClientResponse.HttpClientResponse,
) {
  if (response.status === 429) return yield* failure(method, "rate_limited", "RPC answered 429")
  if (response.status === 504) return yield* failure(method, "timeout", "RPC answered 504")
  if (response.status >= 500) return yield* failure(method, "server_error", `RPC answered ${response.status}`)
  const answer = yield* response.json.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Answer)),
    Effect.mapError(() =>
      failure(method, "undecodable_answer", `RPC's answer (${response.status}) is not JSON-RPC`),
    ),
  )
  if (answer.error !== undefined) {
    const reason = INVALID_REQUEST_CODES.includes(answer.error.code) ? "invalid_request" : "server_error"
    return yield* failure(method, reason, answer.error.message)
  }
  return answer.result
})

/** The port over the endpoints, in order of preference. */
export const layerUrls = (urls: ReadonlyArray<string>, timeoutMs: number) =>
  Layer.effect(
    SorobanRpc,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const callOne = (url: string, method: string, params: Record<string, unknown> | undefined) =>
        HttpClientRequest.post(url).pipe(
          HttpClientRequest.bodyJsonUnsafe({
            jsonrpc: "2.0",
            id: 1,
            method,
            ...(params === undefined ? {} : { params }),
          }),
          client.execute,
          Effect.mapError((error) => failure(method, "unreachable", `${url}: ${error.message}`)),
          Effect.flatMap((response) => readAnswer(method, response)),
          Effect.timeoutOrElse({
            duration: timeoutMs,
            orElse: () => Effect.fail(failure(method, "timeout", `${url} gave no answer in ${timeoutMs} ms`)),
          }),
        )
      return make((method, params) =>
        urls
          .map((url) => callOne(url, method, params))
          .reduce((preferred, backup) =>
            Effect.catchIf(
              preferred,
              (error) => error.reason !== "invalid_request",
              // The preferred one may have taken a submission: a backup's refusal must not hide that nothing is known.
              (error) => (method === "sendTransaction" ? Effect.mapError(backup, () => error) : backup),
            ),
          ),
      )
    }),
  )

/** The port from `SOROBAN_RPC_URL`. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    return layerUrls(yield* Settings.sorobanRpcUrls, yield* Settings.networkTimeoutMs)
  }),
)
