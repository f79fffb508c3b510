/** The search for the fewest faults, on failures that are known. */
import { expect, it } from "bun:test"
import type { Fault } from "./Fault.ts"
import { minimal } from "./Minimise.ts"

const faults = (count: number) =>
  Array.from({ length: count }, (_, place) => {
    const fault: Fault = { kind: "drain", afterMs: place, forMs: 1 }
    return [place, fault] as const
  })

const placesOf = async (count: number, isNeeded: (places: ReadonlySet<number>) => boolean) => {
  const left = await minimal(faults(count), async (some) => isNeeded(new Set(some.map(([place]) => place))))
  return left.map(([place]) => place)
}

it("finds the one that matters", async () => {
  expect(await placesOf(24, (places) => places.has(17))).toEqual([17])
})

it("finds two that matter together, far apart", async () => {
  expect(await placesOf(24, (places) => places.has(2) && places.has(21))).toEqual([2, 21])
})

it("leaves none where none is needed", async () => {
  expect(await placesOf(9, () => true)).toEqual([])
})

it("leaves all where all are needed", async () => {
  expect(await placesOf(5, (places) => places.size === 5)).toEqual([0, 1, 2, 3, 4])
})
