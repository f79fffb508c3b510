/** A server listens before the program behind it has its handlers: whoever calls then must get an answer too. */
import { expect } from "bun:test"
import { Effect, Layer } from "effect"
import { HttpServer, HttpServerResponse } from "effect/http"
import { httpServer } from "../../layers/platform/Platform.ts"
import { live } from "../support/it.ts"

const options = { host: "127.0.0.1", port: 0, setting: "PORT" }

const call = (url: string) =>
  Effect.promise(() => fetch(url, { method: "POST", body: "{}", signal: AbortSignal.timeout(2_000) }))

live("503 while there are no handlers, and their answer from then on", () =>
  Effect.gen(function* () {
    const context = yield* Layer.build(httpServer(options))
    yield* Effect.gen(function* () {
      const server = yield* HttpServer.HttpServer
      const url = HttpServer.formatAddress(server.address)
      const early = yield* call(url)
      expect(early.status).toBe(503)
      expect(early.headers.get("retry-after")).toBe("1")
      expect(early.headers.get("content-type")).toBe("application/problem+json")
      // RFC 9457, section 4.2.1: "about:blank" says no more than the status, whose phrase is the title.
      expect(yield* Effect.promise(() => early.json())).toEqual({
        type: "about:blank",
        title: "Service Unavailable",
        status: 503,
      })
      yield* HttpServer.serveEffect(Effect.succeed(HttpServerResponse.text("here")))
      const later = yield* call(url)
      expect(later.status).toBe(200)
      expect(yield* Effect.promise(() => later.text())).toBe("here")
    }).pipe(Effect.provideContext(context))
  }),
)
