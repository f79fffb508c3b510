/**
 * One process to a ledger file. SQLite's exclusive transaction is used for its operating-system lock alone:
 * the kernel lets go of it when the process ends, however it ends, and a second opener is told at once.
 */
import { Database } from "bun:sqlite"
import { LedgerFileError } from "./Records.ts"

/** @returns the release */
export const lockFile = (path: string): (() => void) => {
  const database = new Database(`${path}.lock`, { create: true })
  try {
    database.run("PRAGMA busy_timeout = 0")
    database.run("BEGIN EXCLUSIVE")
  } catch {
    database.close()
    throw new LedgerFileError(`The ledger file ${path} is in use by another process.`)
  }
  return () => {
    database.close()
  }
}
