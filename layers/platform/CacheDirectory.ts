/** Directories outside the checkout for what can be made again: copies of binaries, sockets, throwaway clusters. */
import { accessSync, chmodSync, constants, lstatSync, mkdirSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { isAbsolute, join } from "node:path"
import { Config, Effect, Option } from "effect"
import { StartupFailure } from "./StartupFailure.ts"

const ownUid = process.getuid?.() ?? -1

/** Creates the directory with the mode; true when it is ours alone to write: nobody else can plant a file in it. */
const claim = (path: string, mode: number): boolean => {
  try {
    if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, mode)
    accessSync(path, constants.W_OK | constants.X_OK)
    const found = lstatSync(path)
    return found.isDirectory() && found.uid === ownUid && (found.mode & 0o022) === 0
  } catch {
    return false
  }
}

const xdgCacheHome = Config.String("XDG_CACHE_HOME").pipe(Config.option)

const candidatesFor = (xdg: string | undefined) => {
  if (ownUid === 0)
    return ["/var/cache/nova-rewards", "/var/tmp/nova-rewards", join(tmpdir(), "nova-rewards-0")]
  const home = homedir()
  return [
    ...(xdg !== undefined && isAbsolute(xdg) ? [join(xdg, "nova-rewards")] : []),
    ...(isAbsolute(home) ? [join(home, ".cache", "nova-rewards")] : []),
    join(tmpdir(), `nova-rewards-${ownUid}`),
  ]
}

/**
 * A directory that this user owns. As root it is one that every user may traverse, because PostgreSQL has to run as
 * another user; otherwise it is private.
 */
export const cacheDirectory: Effect.Effect<string, StartupFailure> = Effect.gen(function* () {
  const xdg = yield* Effect.orDie(xdgCacheHome)
  const candidates = candidatesFor(Option.getOrUndefined(xdg))
  const found = candidates.find((path) => claim(path, ownUid === 0 ? 0o755 : 0o700))
  if (found !== undefined) return found
  return yield* new StartupFailure({
    message: `No place for a cache: none of ${candidates.join(", ")} can be written by this user alone; set XDG_CACHE_HOME to a folder of yours.`,
  })
})
