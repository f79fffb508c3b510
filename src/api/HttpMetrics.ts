/** Metrics of the API. Labels are the method, the route's template and the status: never an id. */
import { Effect, Metric } from "effect"

const requests = Metric.counter("api_gateway.http_requests_total", {
  description: "Requests answered, by method, route and status",
  incremental: true,
})

const duration = Metric.histogram("api_gateway.http_request_duration_seconds", {
  description: "Time from a request's head to its answer, in seconds, by method and route",
  // Around the alert threshold of 0.5 s, fine enough for a p95.
  boundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
})

// Anything may come as a method; a label may not.
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

export interface AnsweredRequest {
  readonly method: string
  /** Template; undefined for a path without a route. */
  readonly route: string | undefined
  readonly status: number
  readonly seconds: number
}

/** Method and route in words of our own: nothing that a caller could make up. */
export const labelsOf = ({ method, route }: AnsweredRequest) => ({
  method: METHODS.has(method) ? method : "other",
  route: route ?? "unmatched",
})

export const recordRequest = (request: AnsweredRequest): Effect.Effect<void> => {
  const labels = labelsOf(request)
  return Effect.andThen(
    Metric.update(Metric.withAttributes(requests, { ...labels, status: String(request.status) }), 1),
    Metric.update(Metric.withAttributes(duration, labels), request.seconds),
  )
}
