/**
 * A file of one JSON object a line that is only ever added to. A kill -9 can tear the last line and no other: what
 * stands after the last line's end was never written as far as anybody knows, and is dropped.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs"

/** The lines that were written to their end. A torn one is cut off the file, so that the next starts a line. */
export const readLines = <A>(path: string): ReadonlyArray<A> => {
  if (!existsSync(path)) return []
  const bytes = readFileSync(path)
  const whole = bytes.subarray(0, bytes.lastIndexOf("\n") + 1)
  if (whole.length < bytes.length) truncateSync(path, whole.length)
  return whole
    .toString("utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

export const appendLine = (path: string, value: object): void =>
  appendFileSync(path, `${JSON.stringify(value)}\n`)
