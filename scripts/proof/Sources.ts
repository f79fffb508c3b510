/**
 * What a result speaks of: the commit, and a digest of every file that can change the outcome. Results of different
 * digests say nothing about each other, so they never come together.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"

/** Files and folders, relative to the checkout; tests of theirs (`*.test.ts`) change no outcome and do not count. */
export const SOURCES: ReadonlyArray<string> = [
  "bin",
  "bun.lock",
  "bunfig.toml",
  "layers",
  "migrations",
  "package.json",
  "scripts/arguments",
  "scripts/chaos.ts",
  "scripts/simulate.ts",
  "src",
  "test/chaos/experiment",
  "test/chaos/support",
  "test/simulation",
  "test/support",
  "tsconfig.json",
]

export interface Origin {
  /** Unknown where the checkout is none of git. */
  readonly commit: string
  /** Whether the sources differed from the commit. */
  readonly isDirty: boolean
  /** SHA-256, hex. */
  readonly digest: string
}

const filesOf = (checkout: string, path: string): ReadonlyArray<string> =>
  statSync(join(checkout, path)).isFile()
    ? path.endsWith(".test.ts")
      ? []
      : [path]
    : readdirSync(join(checkout, path), { withFileTypes: true }).flatMap((entry) =>
        filesOf(checkout, `${path}/${entry.name}`),
      )

/** SHA-256 over the paths in their order, each with its length and content, hex. */
export const digestSources = (checkout: string, sources: ReadonlyArray<string> = SOURCES): string => {
  const hash = createHash("sha256")
  for (const path of sources.flatMap((source) => filesOf(checkout, source)).sort()) {
    const content = readFileSync(join(checkout, path))
    hash.update(`${path}\0${content.length}\0`).update(content)
  }
  return hash.digest("hex")
}

const git = (checkout: string, ...args: ReadonlyArray<string>): string | undefined => {
  const ran = spawnSync("git", args, { cwd: checkout, encoding: "utf8" })
  return ran.status === 0 ? ran.stdout.trim() : undefined
}

export const readOrigin = (checkout: string): Origin => ({
  commit: git(checkout, "rev-parse", "HEAD") ?? "unknown",
  isDirty: git(checkout, "status", "--porcelain", "--", ...SOURCES) !== "",
  digest: digestSources(checkout),
})
