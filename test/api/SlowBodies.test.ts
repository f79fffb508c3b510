import { expect } from "bun:test"
import { Effect, Layer } from "effect"
import { BodyWithinMs } from "../../src/api/RequestRules.ts"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"
import { expectProblem } from "./ProblemShape.ts"
import { issueRaw } from "./RawSocket.ts"

const { live } = withLayer(Api.layer.pipe(Layer.provide(Layer.succeed(BodyWithinMs, 200))))

// A bare 200 would mean "accepted before" to whoever issues a reward.
live("a body that does not end gets the 408 problem on the wire, and the connection is closed", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const unfinished = [
      [["Transfer-Encoding: chunked"], "1\r\n{\r\n"],
      [["Transfer-Encoding: chunked"], ""],
      [["Content-Length: 5000"], "{}"],
      [["Content-Length: 5000"], ""],
    ] as const
    for (const [headers, body] of unfinished) {
      const answer = yield* issueRaw(client, headers, body)
      expect([answer.status, answer.body?.code]).toEqual([408, "request.timeout"])
      expect(answer.headers.get("connection")).toBe("close")
      expectProblem(answer)
    }
    expect((yield* Api.send("/health")).status).toBe(200)
  }),
)

live("a body that is broken off by its sender is never answered with success", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    for (const [header, body] of [
      ["Transfer-Encoding: chunked", "1\r\n{\r\n"],
      ["Content-Length: 5000", "{}"],
    ] as const) {
      const answer = yield* issueRaw(client, [header], body, { halfClose: true })
      expect(answer.status).toBe(400)
    }
  }),
)

live("a body that is announced as too large is refused before any of it has come", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    // 1 MiB, the default of BODY_BYTES_MAX, and one byte.
    const refused = yield* issueRaw(client, ["Content-Length: 1048577"], "")
    expect([refused.status, refused.body?.code]).toEqual([413, "request.too_large"])
    expectProblem(refused)
    // The largest that is allowed is waited for, in vain.
    expect((yield* issueRaw(client, ["Content-Length: 1048576"], "")).status).toBe(408)
  }),
)

live("a client that sends a body that is too large to the end gets its answer all the same", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    for (const size of [1_048_577, 10_000_000]) {
      const refused = yield* client.post("/api/rewards/issue", "x".repeat(size))
      expect([size, refused.status, refused.body?.code]).toEqual([size, 413, "request.too_large"])
    }
    expect((yield* Api.send("/health")).status).toBe(200)
  }),
)
