/** A failing seed says how it is replayed: the command can be copied as it stands. */
import { expect, it } from "bun:test"
import type { Fault } from "./Fault.ts"
import { failureOf, kindOf, replayOf } from "./SeedLines.ts"

const drain: Fault = { kind: "drain", afterMs: 1, forMs: 1 }

it("a seed with all of its faults", () => {
  expect(replayOf({ seed: 2 })).toBe("npm run simulate -- --seed 2 --trace")
})

it("with those that were chosen, or with those of them that it needs", () => {
  expect(replayOf({ seed: 2, faults: [3, 21] })).toBe("npm run simulate -- --seed 2 --faults 3,21 --trace")
  expect(replayOf({ seed: 2, faults: [3, 21], minimal: [[21, drain]] })).toBe(
    "npm run simulate -- --seed 2 --faults 21 --trace",
  )
})

it("with none of them", () => {
  expect(replayOf({ seed: 2, minimal: [] })).toBe("npm run simulate -- --seed 2 --faults= --trace")
})

it("with a planted bug", () => {
  expect(replayOf({ seed: 12, planted: "sent_before_stored" })).toBe(
    "npm run simulate -- --planted --bugs sent_before_stored --seed 12 --trace",
  )
})

it("the first violation, and how many follow", () => {
  const replay = "replay: npm run simulate -- --seed 2 --trace"
  expect(failureOf({ seed: 2, violations: ["I1: r7"] })).toBe(`seed 2 fails: I1: r7 | ${replay}`)
  expect(failureOf({ seed: 2, violations: ["I1: r7", "I2: r7", "I3: r8"] })).toBe(
    `seed 2 fails: I1: r7 (and 2 more; --trace shows them) | ${replay}`,
  )
  expect(failureOf({ seed: 2, violations: ["I1: r7", "I2: r7"], trace: [] })).toBe(
    `seed 2 fails: I1: r7 (and 1 more, all in the trace) | ${replay}`,
  )
})

it("what a violation is one of", () => {
  expect(kindOf("I3: r7: lost")).toBe("I3")
  expect(kindOf("a merchant never got an answer")).toBe("a merchant never got an answer")
})
