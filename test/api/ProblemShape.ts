/** What every error of the API must look like, stated apart from the code that makes it. */
import { expect } from "bun:test"
import type { ErrorCode } from "../../src/api/ErrorCode.ts"
import { problems } from "../../src/api/Problems.ts"
import type { Answer } from "./ApiHarness.ts"

const KNOWN = new Set([
  "type",
  "title",
  "status",
  "detail",
  "code",
  "param",
  "errors",
  "request_id",
  "retryable",
])

/** RFC 9457's members, our own, and nothing else; consistent with status and headers. */
export const expectProblem = (answer: Answer): void => {
  expect(answer.headers.get("content-type")).toBe("application/problem+json")
  const { body } = answer
  const kind = problems[body.code as ErrorCode]
  expect([body.code, kind !== undefined]).toEqual([body.code, true])
  expect(body.type).toBe(`urn:nova-rewards:problem:${body.code}`)
  expect([body.title, body.status, body.retryable]).toEqual([kind.title, kind.status, kind.retryable])
  expect(answer.status).toBe(body.status)
  expect(typeof body.detail).toBe("string")
  expect(body.detail.length).toBeGreaterThan(0)
  expect(body.request_id).toBe(answer.headers.get("x-request-id"))
  expect(Object.keys(body).filter((key) => !KNOWN.has(key))).toEqual([])
  for (const error of body.errors ?? []) {
    expect(Object.keys(error).sort()).toEqual(["message", "param"])
    expect(error.param.length).toBeGreaterThan(0)
    expect(error.message.length).toBeGreaterThan(0)
  }
  if (body.errors !== undefined) expect(body.param).toBe(body.errors[0].param)
  // Nothing of the inside comes out.
  expect(answer.text).not.toMatch(/SELECT|INSERT|UPDATE |PgC|node_modules|\.ts:|SqlError|stack/)
}
