import { expect, it } from "bun:test"
import fc from "fast-check"
import { DEPTH_MAX, parseStrictJson } from "../../src/api/StrictJson.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const reason = (text: string) => {
  const result = parseStrictJson(bytes(text))
  return result._tag === "Invalid" ? result.reason : undefined
}

it("refuses a name that is twice in one object, however it is written", () => {
  expect(reason('{"amount":"1","amount":"2"}')).toBe('The name "amount" is twice in one object.')
  expect(reason('{"a":1,"\\u0061":2}')).toBe('The name "a" is twice in one object.')
  expect(reason('{"x":[{"b":{"c":1},"b":2}]}')).toBe('The name "b" is twice in one object.')
  expect(reason('{ "a" : {"k":[1,2]} , "a" : 1 }')).toBe('The name "a" is twice in one object.')
  expect(reason('{"":1,"":2}')).toBe('The name "" is twice in one object.')
})

it("tells names from strings, and objects from each other", () => {
  const texts = [
    '["a","a"]',
    '{"a":"a","b":"a"}',
    '{"a":{"a":1},"b":{"a":1}}',
    '{"a":"\\"a\\":1,\\"a\\":{"}',
    "[]",
    '"a"',
  ]
  for (const text of texts) expect([text, reason(text)]).toEqual([text, undefined])
})

it("limits the depth", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
  expect(reason(nested(DEPTH_MAX))).toBeUndefined()
  expect(reason(nested(DEPTH_MAX + 1))).toBe(`It is nested more than ${DEPTH_MAX} deep.`)
  expect(reason("[".repeat(1_000_000))).toBe(`It is nested more than ${DEPTH_MAX} deep.`)
  expect(reason(`"${"[".repeat(1000)}"`)).toBeUndefined()
})

it("refuses what is not JSON or not UTF-8", () => {
  for (const text of [
    "{",
    "{'a':1}",
    "{a:1}",
    '{"a":1,}',
    "NaN",
    "// x",
    '{"a":"\u0000"}',
    '{"a":"\\x"}',
    '"',
    '{"a',
  ])
    expect([text, reason(text)]).toEqual([text, "It is not valid JSON."])
  expect(reason(" ")).toBe("It is empty.")
  expect(parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({
    _tag: "Invalid",
    reason: "It is not valid UTF-8.",
  })
  // U+D800 in UTF-8's bit pattern, which UTF-8 does not allow (RFC 3629, section 3)
  expect(parseStrictJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))._tag).toBe("Invalid")
})

it("reads every JSON value as JSON.parse does", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      expect(parseStrictJson(bytes(text))).toEqual({ _tag: "Valid", value: JSON.parse(text) })
    }),
  )
})

it("never throws and never accepts what JSON.parse refuses", () => {
  const fragment = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u",
    "a",
    "0",
    "-",
    "true",
    " ",
    '"a"',
    "\u0000",
  )
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 30 }), (fragments) => {
      const text = fragments.join("")
      if (parseStrictJson(bytes(text))._tag === "Valid") JSON.parse(text)
    }),
    { numRuns: 2000 },
  )
})
