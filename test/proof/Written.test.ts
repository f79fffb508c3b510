/** What the proof says by hand: the tests that it names are there, and a promise is called kept only where it is. */
import { expect, it } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { BY_TESTS } from "../../scripts/proof/ByTests.ts"
import { FOUND } from "../../scripts/proof/Found.ts"
import { throughputsOf } from "../../scripts/proof/Throughput.ts"
import { sampleTrouble } from "./Samples.ts"

const checkout = join(import.meta.dir, "../..")

it("every test that is named is there", () => {
  const named = [...BY_TESTS.map(([, , test]) => test), ...FOUND.flatMap(({ test }) => test.split(", "))]
  expect(named.filter((path) => !existsSync(join(checkout, path)))).toEqual([])
})

/** What is said of the rewards that ended. */
const verdictOf = (endedRatio: number, endedNoise: number) =>
  throughputsOf([sampleTrouble(endedRatio, endedNoise)])[1]?.verdict

it("a promise is kept at 95 %, broken below, and not shown where the machine alone makes the difference", () => {
  expect(verdictOf(0.95, 1)).toBe("kept")
  expect(verdictOf(0.94, 1)).toBe("broken")
  expect(verdictOf(0.9, 0.94)).toBe("not shown")
  expect(verdictOf(0.9, 1 / 0.94)).toBe("not shown")
  expect(verdictOf(0.8, 0.94)).toBe("broken")
})

it("what was divided by nothing was not measured, as a number and as a file has it", () => {
  expect(verdictOf(Number.NaN, 1)).toBe("not measured")
  expect(verdictOf(1, Number.POSITIVE_INFINITY)).toBe("not measured")
  expect(verdictOf(1, 0)).toBe("not measured")
  expect(throughputsOf(JSON.parse(JSON.stringify([sampleTrouble(Number.NaN)])))[1]?.verdict).toBe(
    "not measured",
  )
})
