/**
 * Commands that do not outlive the process that starts them, even when that is killed with -9.
 *
 * On Linux the kernel does it: `setpriv --pdeathsig` (util-linux) asks for a signal at the parent's death
 * (PR_SET_PDEATHSIG, prctl(2)). Where there is no such setpriv (macOS, BusyBox) a small shell process watches both.
 */
import { spawn, spawnSync } from "node:child_process"

/** A user that a command runs as, by number. */
export interface RunAs {
  readonly uid: number
  readonly gid: number
}

const candidates = ["/usr/bin/setpriv", "/bin/setpriv", "/usr/sbin/setpriv", "/usr/local/bin/setpriv"]

let found: { readonly path: string | undefined } | undefined

/** The path of a setpriv that knows --pdeathsig, or undefined. Looked for once in a process. */
export const setprivPath = (): string | undefined => {
  if (found === undefined) {
    const works = (path: string) =>
      spawnSync(path, ["--pdeathsig", "INT", "--", path, "--version"]).status === 0
    found = { path: process.platform === "linux" ? candidates.find(works) : undefined }
  }
  return found.path
}

/** The command wrapped so that it gets the signal when we die. Without setpriv the command comes back as it was. */
export const dieWithParent = (
  command: ReadonlyArray<string>,
  signal: "INT" | "TERM" | "KILL",
  runAs?: RunAs,
): ReadonlyArray<string> => {
  const setpriv = setprivPath()
  if (setpriv === undefined) return command
  const user = runAs === undefined ? [] : [`--reuid=${runAs.uid}`, `--regid=${runAs.gid}`, "--clear-groups"]
  return [setpriv, ...user, "--pdeathsig", signal, "--", ...command]
}

const watchScript = `while kill -0 "$1" && kill -0 "$2"; do sleep 1; done; kill -s "$3" "$2"`

/** Where the kernel cannot: a detached shell that signals the child within about a second of our death. */
export const watchFromOutside = (childPid: number, signal: "INT" | "TERM" | "KILL"): void => {
  const args = ["-c", watchScript, "nova-parent-watch", String(process.pid), String(childPid), signal]
  spawn("/bin/sh", args, { detached: true, stdio: "ignore" }).unref()
}
