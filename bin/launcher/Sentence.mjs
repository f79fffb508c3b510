/** A failure that a person can act on: its message is one sentence with the way out, printed without a stack. */
export class Sentence extends Error {}

/** The first line of a tool's output that says what went wrong, shortened to 200 characters. */
export const firstComplaint = (output) => {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
  const found = lines.find(
    (line) =>
      /\b(err(or)?!?|failed|cannot|unable|no such|denied)\b/i.test(line) && !/err(or)?!? code\b/i.test(line),
  )
  return (found ?? lines.at(-1) ?? "it said nothing").slice(0, 200)
}

const reasons = [
  [/ENOSPC|no space left/i, "the disk is full; free some space and start again"],
  [
    /EROFS|read-only file system/i,
    "the disk is read-only there; start as a user, or from a copy, that can write",
  ],
  [/EACCES|EPERM|permission denied/i, "this user may not write there; start as the owner of those files"],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|ENOTCACHED|network|ConnectionRefused|FailedToOpenSocket|DNS/i,
    "no npm registry answered; check the network, the proxy and `npm config get registry`",
  ],
  [/E404|ETARGET|not found/i, "the npm registry does not have it; check `npm config get registry`"],
  [/EINTEGRITY|IntegrityCheckFailed/i, "what the registry sent does not match its checksum; try again"],
]

/** What to do about a failed tool, read from its output, or undefined where the output is not known. */
export const adviceFor = (output) => reasons.find(([pattern]) => pattern.test(output))?.[1]
