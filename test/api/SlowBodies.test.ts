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
