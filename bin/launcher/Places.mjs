// Where this user may keep small things between starts, with HOME set, unset, empty or read-only.
import { accessSync, constants, lstatSync, mkdirSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import { dirname, isAbsolute, join } from "node:path"
import { Sentence } from "./Sentence.mjs"

const ourUid = process.getuid?.() ?? -1

/** Whether this user may write at the path, or create it where it does not exist yet. */
export const isWritable = (path) => {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch (error) {
    if (error.code !== "ENOENT") return false
    const parent = dirname(path)
    return parent !== path && isWritable(parent)
  }
}

/** The home directory, or undefined. An empty HOME counts as none: npm would take it for the current directory. */
export const homeDirectory = () => {
  const fromEnvironment = process.env.HOME
  if (fromEnvironment !== undefined && isAbsolute(fromEnvironment)) return fromEnvironment
  try {
    const fromPasswd = userInfo().homedir
    return isAbsolute(fromPasswd) ? fromPasswd : undefined
  } catch {
    return undefined
  }
}

/** Creates the directory; true when it is ours alone to write, so that nobody can plant a program in it. */
const claim = (path) => {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.W_OK | constants.X_OK)
    const found = lstatSync(path)
    return found.isDirectory() && (ourUid === -1 || found.uid === ourUid) && (found.mode & 0o022) === 0
  } catch {
    return false
  }
}

let claimed

/** This user's cache directory for the launcher: XDG_CACHE_HOME, ~/.cache, or a private folder in the temporary directory. */
export const cacheDirectory = () => {
  if (claimed !== undefined) return claimed
  const home = homeDirectory()
  const xdg = process.env.XDG_CACHE_HOME
  const candidates = [
    ...(xdg !== undefined && isAbsolute(xdg) ? [join(xdg, "nova-rewards")] : []),
    ...(home === undefined ? [] : [join(home, ".cache", "nova-rewards")]),
    join(tmpdir(), `nova-rewards-${ourUid}`),
  ]
  claimed = candidates.find(claim)
  if (claimed === undefined) {
    throw new Sentence(
      `No place to keep the runtime: none of ${candidates.join(", ")} can be written by this user alone; set XDG_CACHE_HOME to a folder of yours.`,
    )
  }
  return claimed
}

/** npm's cache as npm would choose it; an npm that had an empty HOME hands its scripts a path with a literal "~". */
const npmCacheOf = (environment, home) => {
  const given = environment.npm_config_cache
  if (given !== undefined && isAbsolute(given) && !given.includes("/~/")) return given
  return home === undefined ? undefined : join(home, ".npm")
}

/** The environment for npm and bun: theirs, with HOME and the caches replaced where they could not be written. */
export const toolEnvironment = () => {
  const home = homeDirectory()
  const npmCache = npmCacheOf(process.env, home)
  const bunCache = home === undefined ? undefined : join(home, ".bun")
  return {
    ...process.env,
    ...(home === undefined ? {} : { HOME: home }),
    npm_config_cache:
      npmCache !== undefined && isWritable(npmCache) ? npmCache : join(cacheDirectory(), "npm"),
    ...(process.env.BUN_INSTALL_CACHE_DIR !== undefined || (bunCache !== undefined && isWritable(bunCache))
      ? {}
      : { BUN_INSTALL_CACHE_DIR: join(cacheDirectory(), "bun") }),
  }
}
