import { afterEach, describe, expect, test } from "bun:test"
import { type LedgerClock, nextDueMs, startLedgerClock } from "../../layers/localnet/http/LedgerClock.ts"

describe("when the next ledger is due", () => {
  test("a small delay does not move the plan", () => {
    expect(nextDueMs(5000, 5030, 5000)).toBe(10_000)
  })

  test("a process that stood still closes one ledger, not the ones it missed", () => {
    expect(nextDueMs(5000, 62_000, 5000)).toBe(67_000)
  })
})

describe("the ledger clock", () => {
  let clock: LedgerClock | undefined
  afterEach(() => clock?.stop())

  test("a stalled event loop is followed by one close, not by a burst", async () => {
    let closes = 0
    clock = startLedgerClock({ intervalMs: 20, close: () => closes++, onFault: () => {} })
    const until = performance.now() + 200
    while (performance.now() < until);
    // The overdue tick runs first; had the nine missed ones been made up for, they would follow at once.
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(closes).toBe(1)
  })

  test("a ledger that cannot be closed stops the clock and is reported once", async () => {
    const faults: Array<unknown> = []
    let closes = 0
    const close = () => {
      closes++
      throw new Error("no space left on device")
    }
    await new Promise<void>((resolve) => {
      const onFault = (fault: unknown) => {
        faults.push(fault)
        setTimeout(resolve, 30)
      }
      clock = startLedgerClock({ intervalMs: 5, close, onFault })
    })
    expect(closes).toBe(1)
    expect(faults).toEqual([new Error("no space left on device")])
  })

  test("no ledger closes after stop", async () => {
    let closes = 0
    const stopped = startLedgerClock({ intervalMs: 5, close: () => closes++, onFault: () => {} })
    stopped.stop()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(closes).toBe(0)
  })
})
