import { describe, expect, test } from "bun:test"
import { countedCloses, ledgersIn, quantile, unionMs } from "./Delay.ts"

describe("ledgers that a reward was on its way", () => {
  const closes = [100, 200, 300, 400, 500]

  test("those after its acceptance, up to and with that of its end", () => {
    expect(ledgersIn(closes, { fromMs: 100, untilMs: 400 })).toBe(3)
    expect(ledgersIn(closes, { fromMs: 101, untilMs: 199 })).toBe(0)
    expect(ledgersIn(closes, { fromMs: 0, untilMs: 1_000 })).toBe(5)
  })

  test("ledgers that closed within any time of being down do not count", () => {
    const downs = [
      { fromMs: 150, untilMs: 250 },
      { fromMs: 220, untilMs: 300 },
    ]
    expect(countedCloses(closes, downs)).toEqual([100, 400, 500])
    expect(ledgersIn(countedCloses(closes, downs), { fromMs: 50, untilMs: 450 })).toBe(2)
  })

  test("what spans share counts once", () => {
    const spans = [
      { fromMs: 300, untilMs: 400 },
      { fromMs: 100, untilMs: 200 },
      { fromMs: 150, untilMs: 250 },
      { fromMs: 160, untilMs: 170 },
    ]
    expect(unionMs(spans)).toBe(250)
    expect(unionMs([])).toBe(0)
  })

  test("a quantile is one of the values", () => {
    expect(quantile([5, 1, 4, 2, 3], 0.5)).toBe(3)
    expect(quantile([5, 1, 4, 2, 3], 1)).toBe(5)
    expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5)
    expect(quantile([], 0.5)).toBe(0)
  })
})
