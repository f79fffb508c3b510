import { expect, it } from "bun:test"
import { pageOf, rowsToFetch } from "../../src/kernel/Page.ts"

it("knows by one extra row that there are more", () => {
  expect(rowsToFetch({ limit: 2 })).toBe(3)
  expect(pageOf(["c", "b", "a"], { limit: 2 })).toEqual({ data: ["c", "b"], hasMore: true })
  expect(pageOf(["b", "a"], { limit: 2 })).toEqual({ data: ["b", "a"], hasMore: false })
  expect(pageOf([], { limit: 2 })).toEqual({ data: [], hasMore: false })
})

it("turns rows that were read upwards newest first", () => {
  // Before e, going up from d: nearest first.
  expect(pageOf(["b", "c", "d"], { limit: 2, endingBefore: "a" })).toEqual({
    data: ["c", "b"],
    hasMore: true,
  })
})
