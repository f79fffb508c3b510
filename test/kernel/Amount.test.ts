import { expect, it } from "bun:test"
import { Schema } from "effect"
import { Amount, formatAmount, parseAmount, STROOPS_MAX } from "../../src/kernel/Amount.ts"

it("counts stroops: ten million to the unit", () => {
  expect(parseAmount("25")).toBe(250_000_000n)
  expect(parseAmount("0.5")).toBe(5_000_000n)
  expect(parseAmount("0.0000001")).toBe(1n)
  expect(parseAmount("12.3456789")).toBe(123_456_789n)
})

it("holds the whole range of the ledger and not a stroop more", () => {
  // 2^63 - 1 stroops
  expect(parseAmount("922337203685.4775807")).toBe(9_223_372_036_854_775_807n)
  expect(parseAmount("922337203685.4775808")).toBe("must be at most 922337203685.4775807")
  expect(parseAmount("999999999999")).toBe("must be at most 922337203685.4775807")
  expect(parseAmount("1000000000000")).toBe("must be at most 922337203685.4775807")
})

it("takes no other spelling of a number", () => {
  const others = [
    "",
    " 1",
    "1 ",
    "+1",
    "1e3",
    "0x10",
    "1,5",
    "1.",
    ".5",
    "01",
    "NaN",
    "Infinity",
    "1_000",
    "１",
    "1\n",
  ]
  for (const text of others) expect([text, typeof parseAmount(text)]).toEqual([text, "string"])
  expect(parseAmount("-1")).toBe("must not be negative")
  expect(parseAmount("1.00000000")).toBe("must have at most 7 decimal places")
})

it("prints seven places, as the ledger's APIs do", () => {
  expect(formatAmount(250_000_000n)).toBe("25.0000000")
  expect(formatAmount(1n)).toBe("0.0000001")
  expect(formatAmount(-15_000_000n)).toBe("-1.5000000")
  expect(formatAmount(STROOPS_MAX)).toBe("922337203685.4775807")
})

it("is positive as a request's field", () => {
  const decode = Schema.decodeUnknownResult(Amount)
  expect(decode("25")).toMatchObject({ success: 250_000_000n })
  expect(String(decode("0"))).toContain("must be more than 0")
  expect(String(decode(25))).toContain("must be a decimal string")
})
