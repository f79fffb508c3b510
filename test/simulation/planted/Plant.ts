/**
 * Puts a planted bug into the sources as they are imported: nothing on the disk changes, and no other process sees it.
 * To be called before anything of the program is imported.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Edit, PLANTED_BUGS } from "./PlantedBugs.ts"

export const CHECKOUT = join(import.meta.dir, "../../..")

/** The source with the edit made. */
export const patched = (source: string, { file, find, replace }: Edit): string => {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`${file}: found ${parts.length - 1} times, not once: ${find}`)
  return parts.join(replace)
}

export const plant = (name: string): void => {
  const bug = PLANTED_BUGS.find((one) => one.name === name)
  if (bug === undefined) throw new Error(`there is no planted bug ${name}`)
  const edits = Map.groupBy(bug.edits, ({ file }) => join(CHECKOUT, file))
  const names = bug.edits.map(({ file }) => file.replaceAll(/[.]/g, "\\.")).join("|")
  Bun.plugin({
    name: `planted ${name}`,
    setup: (build) => {
      build.onLoad({ filter: new RegExp(`/(?:${names})$`) }, ({ path }) => {
        const source = readFileSync(path, "utf8")
        return { contents: (edits.get(path) ?? []).reduce(patched, source), loader: "ts" }
      })
    },
  })
}
