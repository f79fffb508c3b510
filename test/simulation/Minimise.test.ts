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

it("says after each run how many there were and how many faults are left", async () => {
  const said: Array<readonly [number, number]> = []
  await minimal(
    faults(4),
    async (some) => some.some(([place]) => place === 3),
    (runs, left) => said.push([runs, left]),
  )
  expect(said[0]).toEqual([1, 2])
  expect(said.map(([runs]) => runs)).toEqual(said.map((_, index) => index + 1))
  expect(said.at(-1)?.[1]).toBe(1)
})
