/** Why a file or folder could not be written, as the end of a sentence, with the way out. */
import { Predicate } from "effect"

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "this user's disk quota is used up; free some space",
  EROFS: "that disk is read-only; set NOVA_HOME to a folder that this user can write",
  EACCES: "this user may not write there; start as its owner, or set NOVA_HOME to a folder of yours",
  EPERM: "this user may not write there; start as its owner, or set NOVA_HOME to a folder of yours",
  ENOTDIR: "a part of that path is a file; set NOVA_HOME to a folder",
}

/** "the disk is full; free some space" for an ENOSPC; the error's own message for one that is not known. */
export const fileTrouble = (cause: unknown): string => {
  const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : ""
  return reasons[code] ?? (cause instanceof Error ? cause.message : String(cause))
}
