import { expect, it } from "bun:test"
import { sha256 } from "../../src/kernel/Sha256.ts"

it("has the value of FIPS 180-2, appendix B.1", () => {
  expect(Buffer.from(sha256("abc")).toString("hex")).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  )
})

it("hashes the UTF-8 bytes", () => {
  // U+00E9 is C3 A9 in UTF-8.
  const expected = new Bun.SHA256().update(Uint8Array.of(0xc3, 0xa9)).digest("hex")
  expect(Buffer.from(sha256("é")).toString("hex")).toBe(expected)
})
