/** Running a program as an ordinary user from tests that run as root. */
import { spawnSync } from "node:child_process"
import { chownSync, copyFileSync, linkSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { setprivPath } from "../../layers/platform/DieWithParent.ts"
import { checkout } from "./Processes.ts"

export const isRoot = process.getuid?.() === 0

/** `nobody`: it has an entry in /etc/passwd, which initdb asks for, and owns nothing. */
export const ordinaryUser = { uid: 65534, gid: 65534 }

const asOrdinaryUser = (command: ReadonlyArray<string>): ReadonlyArray<string> => [
  setprivPath() ?? "setpriv",
  ...[`--reuid=${ordinaryUser.uid}`, `--regid=${ordinaryUser.gid}`, "--clear-groups", "--"],
  ...command,
]

const succeeds = (command: ReadonlyArray<string>): boolean => {
  const [program = "", ...args] = asOrdinaryUser(command)
  return spawnSync(program, args, { stdio: "ignore", cwd: "/" }).status === 0
}

/** Why these tests cannot run here, or undefined. */
export const whyNot: string | undefined = !isRoot
  ? "the tests themselves run as an ordinary user"
  : setprivPath() === undefined
    ? "there is no setpriv"
    : !succeeds(["/usr/bin/test", "-r", join(checkout, "package.json")])
      ? "an ordinary user cannot reach this checkout"
      : undefined

/** Makes a folder that belongs to the user. */
export const makeOwnFolder = (path: string): string => {
  mkdirSync(path, { recursive: true })
  chownSync(path, ordinaryUser.uid, ordinaryUser.gid)
  return path
}

/** This bun, reachable for the user: root's may lie under a folder that is closed to others. */
const reachableBun = (folder: string): string => {
  if (succeeds(["/usr/bin/test", "-x", process.execPath])) return process.execPath
  const path = join(folder, "bun")
  try {
    linkSync(process.execPath, path)
  } catch {
    copyFileSync(process.execPath, path)
  }
  return path
}

/** The command that runs a TypeScript file as the user; `folder` must be one that everybody may pass through. */
export const bunAsOrdinaryUser = (folder: string, file: string, args: ReadonlyArray<string>) =>
  asOrdinaryUser([reachableBun(folder), "--no-env-file", file, ...args])
