/** A trace says what was drawn, in words that can be read. */
import { expect, it } from "bun:test"
import type { Fault } from "./Fault.ts"
import { describeFault, traceHeader } from "./TraceHeader.ts"

const atStep = { program: "worker-1", afterMs: 12_345, on: "commit", moment: "after" } as const
const crash: Fault = { kind: "crash", ...atStep, restartMs: 4_000, lingerMs: 0 }
const drain: Fault = { kind: "drain", afterMs: 500, forMs: 6_000 }

it("a fault in words", () => {
  expect(describeFault(crash)).toBe("crash of worker-1 after a commit from 12.3 s, back after 4.0 s")
  expect(describeFault({ ...crash, lingerMs: 1_500 })).toEndWith(
    "back after 4.0 s, its sessions end 1.5 s later",
  )
  expect(describeFault({ kind: "connection_lost", ...atStep, on: "any", moment: "before" })).toBe(
    "connection_lost of worker-1 before any step from 12.3 s",
  )
  expect(describeFault(drain)).toBe("drain from 0.5 s for 6.0 s")
  expect(describeFault({ kind: "line_gone", wallet: 2, afterMs: 0, forMs: 1_000 })).toBe(
    "line_gone of customer 2 from 0.0 s for 1.0 s",
  )
  expect(describeFault({ kind: "stranger_bumps", afterMs: 1_000 })).toBe("stranger_bumps from 1.0 s")
  expect(describeFault({ kind: "network", fault: { kind: "stall", ledger: 3, intervals: 2 } })).toBe(
    "network stall from ledger 3, intervals 2",
  )
})

it("seed, scene, and the faults that take place with their own places", () => {
  const scene = {
    ...{ safetyLedgers: 14, workers: 2, operationsMax: 200, treasuryStroops: 20_000_000n },
    settings: { channels: 3, paymentsMax: 8, envelopeLedgers: 5, pollIntervalMs: 2_000, leaseMs: 15_000 },
    ...{ isNamed: true, hasWrongClocks: false },
  }
  expect(traceHeader(7, scene, [drain, crash], [crash])).toEqual([
    "seed 7: 2 workers with names, 3 channels, 8 payments an envelope at most, envelopes for 5 ledgers, " +
      "a lease of 15.0 s, a look each 2.0 s, 200 operations a ledger, a treasury of 2, 14 ledgers with faults",
    "1 of 2 faults",
    "fault 1: crash of worker-1 after a commit from 12.3 s, back after 4.0 s",
  ])
})
