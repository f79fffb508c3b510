/**
 * A file of one JSON object a line that is only ever added to. A kill -9 can tear the last line and no other: what
 * stands after the last line's end was never written as far as anybody knows, and is dropped.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs"

/** The bytes up to the end of the last line that was written to its end. */
const wholeOf = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.lastIndexOf("\n") + 1)

/** The lines that were written to their end. Changes nothing: another process may be writing the next one. */
export const readLines = <A>(path: string): ReadonlyArray<A> => {
  if (!existsSync(path)) return []
  return wholeOf(readFileSync(path))
    .toString("utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** Cuts a torn line off, so that the next one starts a line. For whoever alone writes to the file. */
export const cutTorn = (path: string): void => {
  if (!existsSync(path)) return
  const bytes = readFileSync(path)
  const { length } = wholeOf(bytes)
  if (length < bytes.length) truncateSync(path, length)
}

export const appendLine = (path: string, value: object): void =>
  appendFileSync(path, `${JSON.stringify(value)}\n`)
