/** A file that names the process which holds something, in a form that survives kill -9 and numbers given out again. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { Option, Schema } from "effect"
import { isAlive, ownIdentity, ProcessIdentity } from "./ProcessIdentity.ts"

const Json = Schema.fromJsonString(ProcessIdentity)
const decode = Schema.decodeUnknownOption(Json)
const encode = Schema.encodeSync(Json)

/** The process that the file names, dead or alive; undefined where there is no such file or it is not readable. */
export const readOwner = (path: string): ProcessIdentity | undefined => {
  try {
    return Option.getOrUndefined(decode(readFileSync(path, "utf8")))
  } catch {
    return undefined
  }
}

/** Writes the identity at once: a reader sees the old file or the new one, never a half. */
export const writeOwner = (path: string, identity: ProcessIdentity): void => {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, encode(identity), { mode: 0o600 })
  renameSync(draft, path)
}

const isOurs = (owner: ProcessIdentity | undefined) =>
  owner !== undefined && owner.pid === process.pid && isAlive(owner)

/** Creates the file with our identity unless it is there; link(2) decides between any number of processes. */
const tryCreate = (path: string): boolean => {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, encode(ownIdentity()), { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false
    throw cause
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Moves a dead owner's file aside. rename(2) is atomic, so a file is taken away once; a living one is put back. */
const clearDead = (path: string): void => {
  const aside = `${path}.dead.${process.pid}`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const moved = readOwner(aside)
  try {
    if (moved !== undefined && isAlive(moved)) linkSync(aside, path)
  } catch {
    // Somebody created it anew in between: they hold it.
  }
  rmSync(aside, { force: true })
}

const attemptsMax = 5

/**
 * Takes hold of the file: undefined when it is ours now, else the living process that holds it. A file of a dead
 * process is taken over. Throws the file system's error where the folder cannot be written.
 */
export const takeOwnership = (path: string): ProcessIdentity | undefined => {
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    if (tryCreate(path)) return undefined
    const owner = readOwner(path)
    if (isOurs(owner)) return undefined
    if (owner !== undefined && isAlive(owner)) return owner
    clearDead(path)
  }
  return readOwner(path) ?? ownIdentity()
}

/** Removes the file if it is ours. */
export const releaseOwnership = (path: string): void => {
  if (isOurs(readOwner(path))) rmSync(path, { force: true })
}
