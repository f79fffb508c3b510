import { describe, expect, test } from "bun:test"
import { parseToid, toid, toidAfterLedger } from "../../layers/localnet/horizon/Toid.ts"

describe("total order ids (SEP-35)", () => {
  test("Horizon's documented example: operation 12884905985 is operation 1 of transaction 1 of ledger 3", () => {
    // 3 * 2^32 + 1 * 2^12 + 1; the id of the first payment in Horizon's "list all payments" example.
    expect(toid(3, 1, 1)).toBe(12_884_905_985n)
    expect(parseToid(12_884_905_985n)).toEqual({ ledger: 3, transaction: 1, operation: 1 })
  })

  test("Horizon's documented transaction 120103542047408128 is in ledger 27963785", () => {
    // The "retrieve a transaction" example: paging_token and ledger stand side by side in it.
    // 27963785 * 2^32 = 120103542047375360; what is left is 32768 = 8 * 2^12.
    expect(parseToid(120_103_542_047_408_128n)).toEqual({ ledger: 27_963_785, transaction: 8, operation: 0 })
  })

  test("parts at their limits keep apart: 2^20 - 1 transactions, 2^12 - 1 operations", () => {
    const parts = { ledger: 2 ** 31 - 1, transaction: 2 ** 20 - 1, operation: 2 ** 12 - 1 }
    expect(toid(parts.ledger, parts.transaction, parts.operation)).toBe(2n ** 63n - 1n)
    expect(parseToid(2n ** 63n - 1n)).toEqual(parts)
  })

  test("`now` lies after the whole ledger and before the next", () => {
    expect(toidAfterLedger(7)).toBe(toid(8) - 1n)
  })
})
