import { expect } from "bun:test"
import { Effect } from "effect"
import { routes } from "../../src/api/RouteTable.ts"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"

const { live } = withLayer(Api.layer)

live("boots: every route of the contract has a handler, and the documents are served", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    expect(routes.length).toBeGreaterThanOrEqual(12)
    for (const { method, path } of routes) {
      const url = path.replace(":id", "cmp_00000000000000000000000000")
      const answer = method === "POST" ? yield* client.post(url, {}) : yield* client.get(url)
      // Whatever the answer, it comes from the route: not 404 for the path, not 405, not 5xx.
      expect([method, path, answer.body?.code ?? "ok"]).not.toEqual([method, path, "route.not_found"])
      expect([method, path, answer.status < 405]).toEqual([method, path, true])
    }
  }),
)

live("serves its documentation without the internet", () =>
  Effect.gen(function* () {
    const docs = yield* Api.send("/api/docs")
    expect(docs.headers.get("content-type")).toContain("text/html")
    // Every script and style is inside the page.
    expect(docs.text.match(/<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[^>]*>/g) ?? []).toEqual([])
    expect(docs.text).toContain("Nova Rewards")
    expect(docs.text.length).toBeGreaterThan(1_000_000)
  }),
)
