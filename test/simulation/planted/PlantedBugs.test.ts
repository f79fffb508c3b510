/** Each planted bug is still a change of the sources as they are now. */
import { describe, expect, it } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { CHECKOUT, patched } from "./Plant.ts"
import { PLANTED_BUGS } from "./PlantedBugs.ts"

describe("planted bugs", () => {
  for (const { edits, name } of PLANTED_BUGS) {
    it(name, () => {
      for (const edit of edits) {
        const source = readFileSync(join(CHECKOUT, edit.file), "utf8")
        expect(patched(source, edit)).not.toBe(source)
      }
    })
  }

  it("name tests that are there", () => {
    const named = PLANTED_BUGS.flatMap(({ seenBy }) => (seenBy === undefined ? [] : [seenBy]))
    expect(named.filter((path) => !existsSync(join(CHECKOUT, path)))).toEqual([])
  })

  it("have names of their own", () => {
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length)
  })
})
