/** Files that are made from code: written, or compared with what is there. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

export interface Generated {
  /** Relative to the checkout. */
  readonly path: string
  readonly content: string
}

export const writeAll = (directory: string, files: ReadonlyArray<Generated>): void => {
  for (const { path, content } of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
}

/** The paths of files that are missing or not as they would be written now. */
export const findStale = (directory: string, files: ReadonlyArray<Generated>): ReadonlyArray<string> =>
  files
    .filter(({ path, content }) => {
      const place = join(directory, path)
      return !existsSync(place) || readFileSync(place, "utf8") !== content
    })
    .map(({ path }) => path)
