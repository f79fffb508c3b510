import { expect } from "bun:test"
import { Effect, Layer, Logger, References } from "effect"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import * as Api from "./ApiHarness.ts"

interface Line {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

const lines: Array<Line> = []
const collect = Logger.make(({ fiber, logLevel, message }) => {
  lines.push({
    level: logLevel,
    message: String(message),
    annotations: { ...fiber.getRef(References.CurrentLogAnnotations) },
  })
})

const { live } = withLayer(
  Api.layerApi.pipe(Layer.provideMerge(TestDatabase.layer), Layer.provideMerge(Logger.layer([collect]))),
)

const linesOf = (requestId: string) => lines.filter((line) => line.annotations.request_id === requestId)

live("an answer of 400 and above is one line under its request id, without anything secret", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const init = {
      method: "POST",
      headers: { "x-api-key": client.key, "content-type": "application/json", "x-request-id": "log-1" },
      body: JSON.stringify({ walletAddress: "body-secret" }),
    }
    expect((yield* Api.send("/api/rewards/issue?token=query-secret", init)).status).toBe(400)
    const [line, ...more] = linesOf("log-1")
    expect(more).toEqual([])
    const { duration_ms, ...rest } = line?.annotations ?? {}
    expect(rest).toEqual({
      request_id: "log-1",
      method: "POST",
      route: "/api/rewards/issue",
      status: 400,
      code: "request.invalid",
    })
    expect([line?.level, line?.message]).toEqual([
      "Info",
      "POST /api/rewards/issue was answered 400 request.invalid (log-1)",
    ])
    expect(Number.isInteger(duration_ms)).toBe(true)
    expect(JSON.stringify(line)).not.toMatch(new RegExp(`secret|${client.key}`))
  }),
)

live("the line names the route's template, and no path that a caller made up", () =>
  Effect.gen(function* () {
    const cases = [
      ["GET", "/api/campaigns/cmp_1", "/api/campaigns/:id", 401, "auth.invalid_key"],
      ["GET", "/made/up", "unmatched", 404, "route.not_found"],
      ["HEAD", "/made/up", "unmatched", 404, "route.not_found"],
      ["DELETE", "/api/campaigns", "unmatched", 405, "route.method_not_allowed"],
    ] as const
    for (const [index, [method, path, route, status, code]] of cases.entries()) {
      const requestId = `route-${index}`
      yield* Api.send(path, { method, headers: { "x-request-id": requestId } })
      expect(linesOf(requestId).map(({ annotations: { duration_ms: _, ...rest } }) => rest)).toEqual([
        { request_id: requestId, method, route, status, code },
      ])
    }
  }),
)

live("a success is not logged", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const headers = { "x-api-key": client.key, "x-request-id": "fine-1" }
    expect((yield* Api.send("/api/campaigns", { headers })).status).toBe(200)
    expect(linesOf("fine-1")).toEqual([])
  }),
)
