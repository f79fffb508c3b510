/** What the workers complained about: each warning and error by its message, with how often it was said. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const complaintIn = (line: string): string | undefined => {
  try {
    const { answer, level, message } = JSON.parse(line) as Readonly<Record<string, unknown>>
    if (level !== "warn" && level !== "error" && level !== "fatal") return undefined
    return `${level}: ${message}${answer === undefined ? "" : ` (${answer})`}`
  } catch {
    // Not a log line of ours: a crash's last words.
    return line.trim() === "" ? undefined : line
  }
}

/** Of all workers that logged into the directory. */
export const complaintsIn = (directory: string): Readonly<Record<string, number>> => {
  const found: Record<string, number> = {}
  for (const file of readdirSync(directory).filter((name) => /^worker.*\.log$/.test(name))) {
    for (const line of readFileSync(join(directory, file), "utf8").split("\n")) {
      const complaint = complaintIn(line)
      if (complaint !== undefined) found[complaint] = (found[complaint] ?? 0) + 1
    }
  }
  return found
}
