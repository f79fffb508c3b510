/** Whether an answer is one that the contract documents for its route: status, content type, shape. */
import { expect } from "bun:test"
import { Schema } from "effect"
import { FindMyWay } from "effect/http"
import { HttpApi } from "effect/http-api"
import { NovaApi } from "../../src/api/NovaApi.ts"
import type { Answer } from "./ApiHarness.ts"
import { expectProblem } from "./ProblemShape.ts"

interface Documented {
  readonly route: string
  readonly byStatus: ReadonlyMap<number, ReadonlyArray<Schema.Top>>
}

const contract = FindMyWay.make<Documented>()
HttpApi.reflect(NovaApi, {
  onGroup: () => {},
  onEndpoint: ({ endpoint, successes, errors }) => {
    const route = `${endpoint.method} ${endpoint.path}`
    contract.on(endpoint.method, endpoint.path as `/${string}`, {
      route,
      byStatus: new Map([...successes, ...errors]),
    })
  },
})

/** Errors that any address may answer with: they come from before the route. */
const everywhere = new Set(["route.not_found", "route.method_not_allowed"])

const matches = (schema: Schema.Top, body: unknown): boolean => {
  try {
    Schema.decodeUnknownSync(schema as Schema.Codec<unknown>, { onExcessProperty: "error" })(body)
    return true
  } catch {
    return false
  }
}

/** Expects no fault of the server, and an answer as documented. `url` is path and query. */
export const expectDocumented = (method: string, url: string, answer: Answer): void => {
  const sent = `${method} ${url}`
  expect([sent, answer.status, answer.status < 500]).toEqual([sent, answer.status, true])
  if (answer.status >= 400 && method !== "HEAD") expectProblem(answer)
  const code = String(answer.body?.code)
  const malformedPath = answer.body?.param === "path"
  if (everywhere.has(code) || malformedPath || method === "HEAD") return
  const documented = contract.find(method, url)?.handler
  if (documented === undefined) {
    // The documents themselves are no part of the contract that they show.
    expect([sent, /^\/+(?:openapi\.json|api\/+docs)\/?(?:[?#;].*)?$/i.test(url)]).toEqual([sent, true])
    return
  }
  const schemas = documented.byStatus.get(answer.status) ?? []
  const isText = answer.headers.get("content-type")?.startsWith("text/plain") ?? false
  const found = schemas.some((schema) => matches(schema, isText ? answer.text : answer.body))
  expect([documented.route, answer.status, answer.text.slice(0, 300), found]).toEqual([
    documented.route,
    answer.status,
    answer.text.slice(0, 300),
    true,
  ])
}
