import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"
import { expectProblem } from "./ProblemShape.ts"

const { live } = withLayer(Api.layer)

const sent = (id: string) => ({ headers: { "x-request-id": id } })

live("a sane request id comes back, on answers and in problems; any other is replaced", () =>
  Effect.gen(function* () {
    for (const id of ["abc", "0af7651916cd43dd8448eb211c80319c", "a.b_c:d-1", "x".repeat(128)]) {
      expect((yield* Api.send("/health", sent(id))).headers.get("x-request-id")).toBe(id)
      expect((yield* Api.send("/nowhere", sent(id))).body.request_id).toBe(id)
    }
    for (const id of ["", "x".repeat(129), "a b", "a\tb", "<script>", 'a"b', "é"]) {
      const answer = yield* Api.send("/nowhere", sent(id))
      expect(answer.body.request_id).toMatch(/^req_[0-9A-HJKMNP-TV-Z]{26}$/)
      expectProblem(answer)
    }
    const own = yield* Effect.all([Api.send("/health"), Api.send("/health")])
    expect(own[0].headers.get("x-request-id")).not.toBe(own[1].headers.get("x-request-id"))
  }),
)

live("HEAD answers as GET without a body, and other methods are told what there is", () =>
  Effect.gen(function* () {
    const head = yield* Api.send("/health", { method: "HEAD" })
    expect([head.status, head.text]).toEqual([200, ""])
    const cases = [
      ["DELETE", "/api/campaigns", "GET, HEAD, POST"],
      ["GET", "/api/rewards/issue", "POST"],
      ["POST", "/health", "GET, HEAD"],
      ["OPTIONS", "/api/campaigns/cmp_1", "GET, HEAD, PATCH"],
      ["PATCH", "/openapi.json", "GET, HEAD"],
    ] as const
    for (const [method, path, allow] of cases) {
      const answer = yield* Api.send(path, { method })
      expect([method, path, answer.status]).toEqual([method, path, 405])
      expect(answer.headers.get("allow")?.split(", ").sort().join(", ")).toBe(allow)
      expectProblem(answer)
    }
    expect((yield* Api.send("/nowhere", { method: "DELETE" })).status).toBe(404)
  }),
)

live("answers are not cached and not sniffed", () =>
  Effect.gen(function* () {
    for (const path of ["/health", "/nowhere", "/openapi.json"]) {
      const { headers } = yield* Api.send(path)
      expect([headers.get("cache-control"), headers.get("x-content-type-options")]).toEqual([
        "no-store",
        "nosniff",
      ])
    }
  }),
)

live("the caller's trace reaches the row that it caused", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const campaignId = yield* Api.newCampaign(client)
    const sql = yield* SqlClient.SqlClient
    const traceOf = Effect.fnUntraced(function* (traceparent: string) {
      const { body } = yield* client.post("/api/rewards/issue", Api.reward(campaignId), { traceparent })
      const [row] = yield* sql<{ trace_context: string }>`
        SELECT trace_context FROM reward_issuances WHERE id = ${body.issuanceId}`
      return row?.trace_context ?? ""
    })
    // The example of https://www.w3.org/TR/trace-context/#examples-of-http-traceparent-headers
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
    const joined = yield* traceOf(`00-${traceId}-00f067aa0ba902b7-01`)
    expect(joined).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
    expect(joined).not.toContain("00f067aa0ba902b7")
    for (const nonsense of [
      "x",
      `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
      `ff-${traceId}-00f067aa0ba902b7-01`,
    ]) {
      expect(yield* traceOf(nonsense)).not.toContain(traceId)
    }
  }),
)

live("metrics count by route template, and hold no id", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const campaignId = yield* Api.newCampaign(client)
    const route = 'method="GET",route="/api/campaigns/:id"'
    const countOf = (text: string, line: string) =>
      Number(
        text
          .split("\n")
          .find((each) => each.startsWith(line))
          ?.split(" ")
          .at(-1) ?? "0",
      )
    const ok = `api_gateway_http_requests_total{${route},status="200"}`
    const timed = `api_gateway_http_request_duration_seconds_count{${route}}`
    const before = (yield* Api.send("/metrics")).text
    yield* client.get(`/api/campaigns/${campaignId}`)
    yield* client.get(`/api/campaigns/${campaignId}`)
    yield* Api.send(`/api/${"x".repeat(50)}`)
    yield* client.post("/api/rewards/issue", Api.reward(campaignId))
    const metrics = yield* Api.send("/metrics")
    const after = metrics.text
    expect(metrics.headers.get("content-type")).toContain("text/plain; version=0.0.4")
    expect(countOf(after, ok) - countOf(before, ok)).toBe(2)
    expect(countOf(after, timed) - countOf(before, timed)).toBe(2)
    expect(after).toContain('api_gateway_http_requests_total{method="GET",route="unmatched",status="404"}')
    expect(countOf(after, "issuance_queue_depth")).toBeGreaterThanOrEqual(1)
    expect(countOf(after, "issuance_oldest_pending_seconds")).toBeGreaterThanOrEqual(0)
    expect(countOf(after, "database_up")).toBe(1)
    expect(after).not.toContain(campaignId)
    expect(after).not.toContain("x".repeat(50))
    expect(after).not.toMatch(/(?:cmp|iss|mer|key)_[0-9A-Z]{26}/)
  }),
)

live("bytes that come slowly or not at all are no fault of the server", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const big = yield* client.post("/api/rewards/issue", "x".repeat(1_048_577))
    expect([big.status, big.body.code]).toEqual([413, "request.too_large"])
    const fits = yield* client.post("/api/rewards/issue", `"${"x".repeat(1_048_574)}"`)
    expect([fits.status, fits.body.code]).toEqual([400, "request.invalid"])
    // A key is asked for before a byte of the body is read.
    const nobody = yield* Api.send("/api/rewards/issue", { method: "POST", body: "x".repeat(2_000_000) })
    expect(nobody.status).toBe(401)
    expect((yield* Api.send("/health")).status).toBe(200)
  }),
)
