/**
 * One log line for each answer of 400 and above, so that whoever has an `X-Request-Id` finds what became of the
 * request. It holds nothing that the caller wrote but the id: no path, no query, no header, no body.
 */
import { Effect } from "effect"
import type { HttpServerResponse } from "effect/http"
import { type AnsweredRequest, labelsOf } from "./HttpMetrics.ts"

/** The `code` of a problem, read from the answer itself; undefined for any other answer. */
const codeOf = ({ body }: HttpServerResponse.HttpServerResponse): string | undefined => {
  if (body._tag !== "Uint8Array" || body.contentType !== "application/problem+json") return undefined
  const problem: unknown = JSON.parse(new TextDecoder().decode(body.body))
  if (typeof problem !== "object" || problem === null || !("code" in problem)) return undefined
  return typeof problem.code === "string" ? problem.code : undefined
}

/** Logs the answer at level info if its status is 400 or above. */
export const logRefusal = (
  requestId: string,
  answered: AnsweredRequest,
  response: HttpServerResponse.HttpServerResponse,
): Effect.Effect<void> => {
  const { status, seconds } = answered
  if (status < 400) return Effect.void
  const { method, route } = labelsOf(answered)
  const code = codeOf(response) ?? "none"
  return Effect.logInfo(`${method} ${route} was answered ${status} ${code} (${requestId})`).pipe(
    Effect.annotateLogs({
      request_id: requestId,
      method,
      route,
      status,
      code,
      duration_ms: Math.round(seconds * 1000),
    }),
  )
}
