/**
 * A server that a killed start left behind, found by PostgreSQL's own pid file and stopped.
 *
 * The file's lines (src/include/utils/pidfile.h): 1 the postmaster's pid, 2 its data directory, 8 its state, which is
 * "ready" when it takes connections. The pid may long belong to another process, so it is checked before any signal.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import {
  identityOf,
  type ProcessIdentity,
  type StopStep,
  stopProcess,
} from "../../platform/ProcessIdentity.ts"
import { StartupFailure } from "../../platform/StartupFailure.ts"
import { socketName } from "./Directories.ts"

const pidFileName = "postmaster.pid"

const linesOf = (cluster: string): ReadonlyArray<string> | undefined => {
  try {
    return readFileSync(join(cluster, pidFileName), "utf8").split("\n")
  } catch {
    return undefined
  }
}

/** A postmaster works in its data directory; elsewhere than on Linux its command line names it. */
const isPostmasterOf = (pid: number, cluster: string): boolean => {
  if (process.platform !== "linux") {
    const command =
      spawnSync("/bin/ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? ""
    return command.includes("postgres") && command.includes(cluster)
  }
  try {
    const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim()
    return name === "postgres" && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster)
  } catch {
    return false
  }
}

/** The running postmaster of this data directory, or undefined. */
export const runningServer = (cluster: string): ProcessIdentity | undefined => {
  const identity = identityOf(Number(linesOf(cluster)?.[0]))
  return identity !== undefined && isPostmasterOf(identity.pid, cluster) ? identity : undefined
}

/** Whether the server with that pid takes connections, by the line that pg_ctl waits for too. */
export const isReady = (cluster: string, pid: number): boolean => {
  const lines = linesOf(cluster)
  return Number(lines?.[0]) === pid && lines?.[7]?.trim() === "ready"
}

/** Fast shutdown: nobody who matters is connected to a server whose programs have died. Milliseconds. */
const stopSteps: ReadonlyArray<StopStep> = [
  { signal: "SIGINT", waitMs: 10_000 },
  { signal: "SIGQUIT", waitMs: 5_000 },
  { signal: "SIGKILL", waitMs: 2_000 },
]

/** Stops a left-over server of this data directory and clears the files that a dead one left, which block a start. */
export const sweepLeftOver = (cluster: string, socketDir: string): Effect.Effect<boolean, StartupFailure> =>
  Effect.gen(function* () {
    const server = runningServer(cluster)
    if (server !== undefined && !(yield* stopProcess(server, stopSteps))) {
      return yield* new StartupFailure({
        message: `A PostgreSQL of an earlier start (process ${server.pid}) holds ${cluster} and does not stop: end it and start again.`,
      })
    }
    const files = [
      join(cluster, pidFileName),
      join(socketDir, socketName),
      join(socketDir, `${socketName}.lock`),
    ]
    for (const file of files.filter((path) => existsSync(path))) rmSync(file, { force: true })
    return server !== undefined
  })
