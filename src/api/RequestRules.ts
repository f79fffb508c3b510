/**
 * Rules that every route keeps, as middleware of the contract, so that the OpenAPI document states them too.
 *
 * - `RequestRules`: invalid fields are a problem that names them; anything may fail with 500 or 503.
 * - `JsonBody` for routes with a body: JSON, UTF-8, small enough, readable in one way.
 * - `NoBody` for the others.
 */
import { Context, Effect, Fiber, Layer, Option, Result } from "effect"
import { HttpIncomingMessage, HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { fieldErrors } from "./FieldErrors.ts"
import { failWith, type ProblemDetail, problem } from "./Problems.ts"
import { type InvalidJson, parseStrictJson } from "./StrictJson.ts"

export class RequestRules extends HttpApiMiddleware.Service<RequestRules>()("nova/api/RequestRules", {
  error: [problem("request.invalid"), problem("server.internal"), problem("server.unavailable")],
}) {
  static readonly layer = HttpApiMiddleware.layerSchemaErrorTransform(RequestRules, (error) =>
    error.kind === "Body" || error.kind === "ResponseHeaders"
      ? Effect.die(error.cause)
      : failWith("request.invalid", { errors: fieldErrors(error) }),
  )
}

export class JsonBody extends HttpApiMiddleware.Service<JsonBody>()("nova/api/JsonBody", {
  error: [
    problem("request.invalid_json"),
    problem("request.timeout"),
    problem("request.too_large"),
    problem("request.unsupported_media_type"),
  ],
}) {
  static readonly layer = Layer.succeed(JsonBody, (httpEffect) => Effect.andThen(checkJsonBody, httpEffect))
}

export class NoBody extends HttpApiMiddleware.Service<NoBody>()("nova/api/NoBody", {
  error: problem("request.unexpected_body"),
}) {
  static readonly layer = Layer.succeed(NoBody, (httpEffect) => Effect.andThen(checkNoBody, httpEffect))
}

// RFC 8259 knows no charset parameter, but clients send utf-8 and mean it.
const JSON_TYPE = /^application\/json *(?:; *charset *= *"?utf-8"? *)?$/i

/** Longest wait for a body that has been announced: a client that trickles must not hold a connection for ever. */
export const BODY_WITHIN_MS = 30_000

/** Milliseconds that a body may take; a reference, so that a test on a real socket need not wait so long. */
export const BodyWithinMs = Context.Reference<number>("nova/api/BodyWithinMs", {
  defaultValue: () => BODY_WITHIN_MS,
})

/**
 * The body, or none when it is late. Who gives up leaves the reading behind instead of interrupting it: that would
 * destroy the request, and the HTTP server then sends its own empty 200 at once, in place of any answer of ours. What
 * is left behind ends with the connection.
 */
const readBody = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const reading = yield* Effect.forkDetach(request.arrayBuffer, { startImmediately: true })
  return yield* Effect.timeoutOption(Fiber.join(reading), yield* BodyWithinMs)
})

const invalidJson = ({ reason, repeated }: InvalidJson): ProblemDetail =>
  repeated === undefined
    ? { detail: reason, param: "body" }
    : { detail: reason, errors: [{ param: repeated, message: "is twice in one object" }] }

export const checkJsonBody = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const type = request.headers["content-type"]
  const coding = request.headers["content-encoding"]
  if (type === undefined || !JSON_TYPE.test(type) || (coding !== undefined && coding !== "identity"))
    return yield* failWith("request.unsupported_media_type", { param: "content-type" })
  const bytesMax = yield* HttpIncomingMessage.MaxBodySize
  // Announced as too large: not one byte of it is waited for.
  if (bytesMax !== undefined && Number(request.headers["content-length"] ?? "0") > Number(bytesMax))
    return yield* failWith("request.too_large", { param: "body" })
  const body = yield* Effect.result(readBody(request))
  if (Result.isFailure(body)) {
    const { reason } = body.failure
    if (reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge")
      return yield* failWith("request.too_large", { param: "body" })
    return yield* failWith("request.invalid_json", { detail: "The body ended early.", param: "body" })
  }
  if (Option.isNone(body.success)) return yield* failWith("request.timeout", { param: "body" })
  const json = parseStrictJson(new Uint8Array(body.success.value))
  if (json._tag === "Invalid") return yield* failWith("request.invalid_json", invalidJson(json))
})

const checkNoBody = Effect.gen(function* () {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const announced =
    headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? "0") !== 0
  if (announced) return yield* failWith("request.unexpected_body", { param: "body" })
})
