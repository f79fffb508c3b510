// A lock between processes: a file that names its holder, so that a killed holder's lock is recognised and broken.
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

/** A lock older than this is broken whoever holds it: no step it guards takes as long. Milliseconds. */
const lockAgeMaxMs = 15 * 60 * 1000

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === "EPERM"
  }
}

const tryCreate = (path) => {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, String(process.pid))
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error.code === "EEXIST") return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Moves a dead holder's lock aside. The move is atomic, so of several waiters only one breaks a given lock. */
const breakIfStale = (path) => {
  try {
    const holder = Number(readFileSync(path, "utf8"))
    const ageMs = Date.now() - statSync(path).mtimeMs
    if (isAlive(holder) && ageMs < lockAgeMaxMs) return
    const aside = `${path}.stale.${process.pid}`
    renameSync(path, aside)
    if (Number(readFileSync(aside, "utf8")) !== holder) {
      try {
        linkSync(aside, path)
      } catch {
        // A third process took the lock in between; the one we moved will find that out at its release.
      }
    }
    rmSync(aside, { force: true })
  } catch (error) {
    if (error.code !== "ENOENT") throw error
  }
}

/** Runs the work while holding the lock file, waiting for other starts of the same checkout. */
export const withLock = async (path, work) => {
  while (!tryCreate(path)) {
    breakIfStale(path)
    await sleep(100)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}
