import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** Records and descriptions of the real network, beside the checkout where there are any. */
const directory = join(import.meta.dir, "..", "..", "..", "shared", "fixtures")

/** The text of a fixture; undefined, with a line that says so, where it is absent. */
export const fixture = (name: string): string | undefined => {
  const path = join(directory, name)
  if (existsSync(path)) return readFileSync(path, "utf8")
  console.log(`skipped: ../shared/fixtures/${name} is not here`)
  return undefined
}
