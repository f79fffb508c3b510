import { expect, it } from "bun:test"
import { Schema } from "effect"
import { Instant } from "../../src/kernel/Instant.ts"

const decode = Schema.decodeUnknownSync(Instant)
const accepts = (text: unknown): boolean => {
  try {
    decode(text)
    return true
  } catch {
    return false
  }
}

it("reads RFC 3339 with any zone", () => {
  expect(decode("2026-11-21T09:30:00Z")).toEqual(new Date(Date.UTC(2026, 10, 21, 9, 30)))
  expect(decode("2026-11-21T09:30:00.123+02:00")).toEqual(new Date(Date.UTC(2026, 10, 21, 7, 30, 0, 123)))
  expect(decode("2028-02-29T00:00:00Z")).toEqual(new Date(Date.UTC(2028, 1, 29)))
})

it("refuses times that are none, have no zone, or that PostgreSQL cannot hold", () => {
  const faulty = [
    "",
    "now",
    "2026-11-21",
    "2026-11-21T09:30:00",
    "2026-02-29T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-11-21T25:00:00Z",
    "0000-01-01T00:00:00Z",
    "+275760-09-13T00:00:00Z",
    1763717400000,
    null,
  ]
  for (const text of faulty) expect([text, accepts(text)]).toEqual([text, false])
})

it("writes UTC with milliseconds", () => {
  expect(Schema.encodeSync(Instant)(new Date(0))).toBe("1970-01-01T00:00:00.000Z")
})
