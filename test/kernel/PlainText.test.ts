import { expect, it } from "bun:test"
import { Schema } from "effect"
import { plainText } from "../../src/kernel/PlainText.ts"

const isName = Schema.is(plainText(1, 5))

it("takes what people write", () => {
  for (const text of ["a", "Süß", "日本語", "👍🏽", "a b"]) expect([text, isName(text)]).toEqual([text, true])
})

it("refuses what a database or a log cannot hold", () => {
  const faulty = ["", "abcdef", "a\u0000", "\n", "a\u007f", "a\u0085b", "\ud800", "a\udc00", "   ", "\u00a0"]
  for (const text of faulty) expect([text, isName(text)]).toEqual([text, false])
})
