/**
 * What every request passes on its way in and every answer on its way out, around the router: request id, trace,
 * metrics, log, body limit, and the promise that every error is a problem. Handlers give typed problems; what reaches
 * this file is the rest: unknown paths, defects, a database that is gone.
 */
import { ByteSize, Cause, Clock, Effect, Option, type Scope, Tracer } from "effect"
import { SecureRandom } from "effect/crypto"
import {
  HttpIncomingMessage,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse,
  HttpTraceContext,
} from "effect/http"
import { isDatabaseAway } from "../kernel/DatabaseAway.ts"
import type { ErrorCode } from "./ErrorCode.ts"
import { recordRequest } from "./HttpMetrics.ts"
import { WAIT_S_MAX } from "./Prefer.ts"
import { makeProblem, type ProblemDetail, problems } from "./Problems.ts"
import { logRefusal } from "./RefusalLog.ts"
import { incoming, RequestId } from "./RequestId.ts"
import { allowedMethods, templateOf } from "./RouteTable.ts"

export interface EdgeOptions {
  /** Larger bodies are answered with 413. */
  readonly bodyBytesMax: number
  /** While it is true, every answer ends its connection: kept ones would hold up the stop. */
  readonly isDraining: Effect.Effect<boolean>
}

type App = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  unknown,
  HttpServerRequest.HttpServerRequest | Scope.Scope
>

const RETRY_AFTER_SECONDS = "1"

/** Longer than any body may take (RequestRules) and any lock may be held; what is still running is given up. */
export const ANSWER_WITHIN_MS = 45_000

/** The one route that waits on purpose has that time on top. */
const answerWithinMs = (method: string, url: string): number =>
  templateOf(method, url) === "/api/rewards/distribute"
    ? ANSWER_WITHIN_MS + WAIT_S_MAX * 1000
    : ANSWER_WITHIN_MS

const respond = (code: ErrorCode, detail: ProblemDetail = {}, headers: Record<string, string> = {}) =>
  Effect.map(makeProblem(code, detail), (problem) =>
    HttpServerResponse.jsonUnsafe(problem, {
      status: problems[code].status,
      contentType: "application/problem+json",
      headers,
    }),
  )

const hasMalformedEscape = (url: string): boolean => {
  try {
    decodeURIComponent(url.split("?", 1)[0] ?? "")
    return false
  } catch {
    return true
  }
}

const respondUnrouted = (request: HttpServerRequest.HttpServerRequest) => {
  if (hasMalformedEscape(request.url))
    return respond("request.invalid", { errors: [{ param: "path", message: "has a malformed % escape" }] })
  const allowed = allowedMethods(request.url)
  return allowed.length === 0
    ? respond("route.not_found")
    : respond(
        "route.method_not_allowed",
        { detail: `This path has ${allowed.join(" and ")}.` },
        { allow: allowed.join(", ") },
      )
}

const respondToFault = (cause: Cause.Cause<unknown>) => {
  const squashed = Cause.squash(cause)
  return isDatabaseAway(squashed)
    ? // One line: an outage fails every request, and the stack would be the same each time.
      Effect.andThen(
        Effect.logError(`The database is out of reach: ${squashed.message}`),
        respond("server.unavailable", {}, { "retry-after": RETRY_AFTER_SECONDS }),
      )
    : Effect.andThen(
        Effect.logError("A request failed by a fault of this program", cause),
        respond("server.internal"),
      )
}

const respondToDelay = Effect.andThen(
  Effect.logError("A request was given up: it took too long"),
  respond("server.unavailable", {}, { "retry-after": RETRY_AFTER_SECONDS }),
)

const isUnrouted = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"
}

const withProblems = (app: App, request: HttpServerRequest.HttpServerRequest) =>
  Effect.catchCause(app, (cause) => {
    if (isUnrouted(cause)) return respondUnrouted(request)
    // The client hung up, or the server is closing: there is nobody to answer.
    return Cause.hasInterruptsOnly(cause)
      ? Effect.failCause(cause as Cause.Cause<never>)
      : respondToFault(cause)
  })

// After a 408 or 413 the rest of the body may still come; nobody waits for it.
const BODY_UNREAD = new Set([408, 413])

const answerHeaders = (
  response: HttpServerResponse.HttpServerResponse,
  requestId: string,
  isDraining: boolean,
) =>
  HttpServerResponse.setHeaders(response, {
    "x-request-id": requestId,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...(isDraining || BODY_UNREAD.has(response.status) ? { connection: "close" } : {}),
    ...(response.status === 401 ? { "www-authenticate": "Bearer" } : {}),
  })

/** Joins the caller's trace where the server's tracer has not done so. */
const withCallersTrace = (request: HttpServerRequest.HttpServerRequest) => {
  const parent = HttpTraceContext.w3c(request.headers)
  return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Effect.serviceOption(Tracer.ParentSpan), (current) =>
      Option.isNone(current) && Option.isSome(parent)
        ? Effect.provideService(effect, Tracer.ParentSpan, parent.value)
        : effect,
    )
}

/** Wraps the router. Never fails but by interruption. */
export const httpEdge = Effect.fnUntraced(function* (app: App, { bodyBytesMax, isDraining }: EdgeOptions) {
  const random = yield* SecureRandom.SecureRandom
  const maxBodySize = ByteSize.bytes(bodyBytesMax)

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const requestId = incoming(request.headers["x-request-id"]) ?? `req_${yield* random.ulid}`
    const startedAtNanos = yield* Clock.currentTimeNanos
    const response = yield* withProblems(app, request).pipe(
      Effect.timeoutOrElse({
        duration: answerWithinMs(request.method, request.url),
        orElse: () => respondToDelay,
      }),
      // The server runs this in an uninterruptible region; a client that hangs up ends its request here.
      Effect.interruptible,
      Effect.provideService(RequestId, requestId),
      Effect.provideService(HttpIncomingMessage.MaxBodySize, maxBodySize),
      Effect.annotateLogs("request_id", requestId),
      Effect.annotateSpans("request_id", requestId),
      withCallersTrace(request),
    )
    const seconds = Number((yield* Clock.currentTimeNanos) - startedAtNanos) / 1e9
    const { method } = request
    const { status } = response
    const answered = { method, route: templateOf(method, request.url), status, seconds }
    yield* recordRequest(answered)
    yield* logRefusal(requestId, answered, response)
    return answerHeaders(response, requestId, yield* isDraining)
  })
})
