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
const verdictOf = (after: ReadonlyArray<number>, before = [90, 110, 100]) =>
  throughputsOf([sampleTrouble(after, before)])[1]?.verdict

it("a promise is kept at 95 %, broken below, and not shown where the machine alone makes the difference", () => {
  expect(verdictOf([95, 10, 200])).toBe("kept")
  expect(verdictOf([94, 86, 95])).toBe("not shown")
  expect(verdictOf([94, 85, 80])).toBe("not shown")
  expect(verdictOf([84, 85, 80])).toBe("broken")
})

it("what was nothing before or was not read was not measured, as a number and as a file has it", () => {
  expect(verdictOf([100, Number.NaN, 100])).toBe("not measured")
  expect(verdictOf([100, 100, 100], [0, 100, 100])).toBe("not measured")
  expect(throughputsOf(JSON.parse(JSON.stringify([sampleTrouble([Number.NaN, 100, 100])])))[1]?.verdict).toBe(
    "not measured",
  )
})
