import { expect, it } from "bun:test"
import { crc32 } from "../../src/kernel/Crc32.ts"

it("has the check value of the CRC catalogue", () => {
  // https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc: check=0xcbf43926
  expect(crc32("123456789")).toBe(0xcbf43926)
  expect(crc32("")).toBe(0)
})
