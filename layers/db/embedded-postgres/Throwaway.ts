/** A cluster for one test run: fast, not durable, and removed with its scope. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { readOwner } from "../../platform/OwnerFile.ts"
import { isAlive } from "../../platform/ProcessIdentity.ts"
import type { StartupFailure } from "../../platform/StartupFailure.ts"
import { type PreparedPostgres, startEmbeddedPostgres } from "../EmbeddedPostgres.ts"
import { pointerName } from "./Directories.ts"
import { sweepLeftOver } from "./LeftOver.ts"

const prefix = "nova-throwaway-"

/** A directory without an owner's file may be one that is just being made; after this long it is not. Milliseconds. */
const beginningMaxMs = 10 * 60 * 1000

/** The directory, and the place that PostgreSQL was put to where its user cannot reach the directory. */
const placesOf = (directory: string): ReadonlyArray<string> => {
  const pointer = join(directory, pointerName)
  return existsSync(pointer) ? [readFileSync(pointer, "utf8").trim(), directory] : [directory]
}

const isAbandoned = (directory: string): boolean => {
  const owner = placesOf(directory)
    .map((place) => readOwner(join(place, "owner.json")))
    .find((found) => found !== undefined)
  return owner === undefined ? Date.now() - statSync(directory).mtimeMs > beginningMaxMs : !isAlive(owner)
}

const remove = (directory: string) =>
  Effect.sync(() => {
    for (const place of placesOf(directory)) rmSync(place, { recursive: true, force: true, maxRetries: 3 })
  })

/** Removes what runs that were killed with -9 left behind. Another user's directories are passed over. */
const sweepAbandoned = Effect.gen(function* () {
  const names = readdirSync(tmpdir()).filter((name) => name.startsWith(prefix))
  for (const directory of names.map((name) => join(tmpdir(), name))) {
    yield* Effect.gen(function* () {
      if (statSync(directory).uid !== process.getuid?.() || !isAbandoned(directory)) return
      for (const place of placesOf(directory)) {
        yield* sweepLeftOver(join(place, "data", "cluster"), join(place, "run"))
      }
      yield* remove(directory)
    }).pipe(Effect.ignoreCause)
  }
})

/** Starts a cluster in a new temporary directory; with the scope both are gone. */
export const startThrowawayPostgres = (
  database: string,
): Effect.Effect<PreparedPostgres, StartupFailure, Scope.Scope> =>
  Effect.gen(function* () {
    yield* sweepAbandoned
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const path = mkdtempSync(join(tmpdir(), prefix))
        chmodSync(path, 0o711)
        return path
      }),
      remove,
    )
    return yield* startEmbeddedPostgres({ directory, database, durable: false, maxConnections: 300 })
  })
