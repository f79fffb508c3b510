/**
 * Who PostgreSQL runs as. It refuses root, so a root start runs it as `nobody`, or as the owner of a data directory
 * that an ordinary user made before.
 */
import { spawnSync } from "node:child_process"
import { statSync } from "node:fs"
import { Effect } from "effect"
import { dieWithParent, type RunAs, setprivPath } from "../../platform/DieWithParent.ts"
import { StartupFailure } from "../../platform/StartupFailure.ts"

/** The uid and gid of `nobody` on every Linux (Debian's base-passwd, systemd's uid list). */
export const nobody: RunAs = { uid: 65534, gid: 65534 }

/** The user to switch to, or undefined where the server runs as we do. */
export type PostgresUser = RunAs | undefined

const ownerOf = (dataDir: string): RunAs | undefined => {
  try {
    const found = statSync(dataDir)
    return found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid }
  } catch {
    return undefined
  }
}

export const postgresUserFor = (dataDir: string): Effect.Effect<PostgresUser, StartupFailure> => {
  if (process.getuid?.() !== 0) return Effect.succeed(undefined)
  if (setprivPath() !== undefined) return Effect.succeed(ownerOf(dataDir) ?? nobody)
  return Effect.fail(
    new StartupFailure({
      message:
        "PostgreSQL refuses to run as root and there is no setpriv (util-linux) to run it as another user: start as an ordinary user, install util-linux, or set DATABASE_URL to a server of yours.",
    }),
  )
}

/** Nothing of our environment reaches the server: locale, preloaded libraries and PG* variables would change it. */
export const postgresEnvironment = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" }

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly output: string
}

/** Runs a short command as that user to its end. */
export const runAsPostgres = (user: PostgresUser, command: ReadonlyArray<string>, stdin = ""): Ran => {
  const [program = "", ...args] = dieWithParent(command, "KILL", user)
  const ran = spawnSync(program, args, { encoding: "utf8", env: postgresEnvironment, cwd: "/", input: stdin })
  const failure = ran.error === undefined ? "" : String(ran.error)
  return {
    status: ran.status,
    stdout: ran.stdout ?? "",
    output: `${ran.stdout ?? ""}${ran.stderr ?? ""}${failure}`,
  }
}
