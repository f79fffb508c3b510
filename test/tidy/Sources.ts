/** The checkout's own source files, as text. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Glob } from "bun"

const checkout = join(import.meta.dir, "..", "..")

const FOLDERS: Readonly<Record<string, string>> = {
  src: "**/*.ts",
  layers: "**/*.ts",
  migrations: "**/*.ts",
  scripts: "**/*.ts",
  test: "**/*.ts",
  bin: "**/*.mjs",
}

/** Text by path, in the order of the paths. */
export const readSources = (): Readonly<Record<string, string>> => {
  const paths = Object.entries(FOLDERS).flatMap(([folder, pattern]) =>
    [...new Glob(`${folder}/${pattern}`).scanSync(checkout)].sort(),
  )
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(checkout, path), "utf8")]))
}
