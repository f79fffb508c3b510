import { expect } from "bun:test"
import { Effect, Fiber } from "effect"
import { HttpServerRequest } from "effect/http"
import { TestClock } from "effect/testing"
import { BODY_WITHIN_MS, checkJsonBody } from "../../src/api/RequestRules.ts"
import { effect } from "../support/it.ts"

const check = (
  body: string | ReadableStream,
  headers: Record<string, string> = { "content-type": "application/json" },
) => {
  const request = new Request("http://localhost/api/rewards/issue", { method: "POST", body, headers })
  return checkJsonBody.pipe(
    Effect.match({ onFailure: (problem) => problem.code as string, onSuccess: () => "fine" }),
    Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request)),
  )
}

effect("a body that does not arrive in time is given up", () =>
  Effect.gen(function* () {
    const never = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
    })
    const waiting = yield* Effect.forkChild(check(never))
    yield* TestClock.adjust(BODY_WITHIN_MS - 1)
    expect(waiting.pollUnsafe()).toBeUndefined()
    yield* TestClock.adjust(1)
    expect(yield* Fiber.join(waiting)).toBe("request.timeout")
  }),
)

effect("a body that breaks off is not valid JSON", () =>
  Effect.gen(function* () {
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error("reset")) })
    expect(yield* check(broken)).toBe("request.invalid_json")
  }),
)

effect("JSON in UTF-8 is taken, and nothing else", () =>
  Effect.gen(function* () {
    const types = {
      "application/json": "fine",
      "Application/JSON; charset=utf-8": "fine",
      'application/json;charset="UTF-8"': "fine",
      "application/json; charset=latin1": "request.unsupported_media_type",
      "application/jsonx": "request.unsupported_media_type",
      "text/json": "request.unsupported_media_type",
      "application/x-www-form-urlencoded": "request.unsupported_media_type",
      "multipart/form-data; boundary=x": "request.unsupported_media_type",
      "": "request.unsupported_media_type",
    }
    for (const [type, expected] of Object.entries(types)) {
      expect([type, yield* check("{}", { "content-type": type })]).toEqual([type, expected])
    }
    const packed = { "content-type": "application/json", "content-encoding": "gzip" }
    expect(yield* check("{}", packed)).toBe("request.unsupported_media_type")
    expect(yield* check("{}", { ...packed, "content-encoding": "identity" })).toBe("fine")
  }),
)
