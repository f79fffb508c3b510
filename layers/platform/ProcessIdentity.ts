/**
 * A process told apart from every other that will ever have its number: pid, start time and boot.
 *
 * Pid files outlive a kill -9, and the kernel gives numbers out again, so a pid alone proves nothing. Linux says the
 * start time in clock ticks since boot (proc_pid_stat(5), field 22); elsewhere `ps` gives it to the second.
 */
import { type ChildProcess, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { Effect, Schema } from "effect"

export const ProcessIdentity = Schema.Struct({ pid: Schema.Int, startedAt: Schema.String })
export type ProcessIdentity = typeof ProcessIdentity.Type

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** A zombie holds nothing any more, and stays for ever where pid 1 does not reap, as in many containers. */
const isOver = (state: string | undefined) =>
  state === undefined || state.startsWith("Z") || state.startsWith("X")

const onLinux = (pid: number): ProcessIdentity | undefined => {
  const stat = readIfThere(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field is the program's name in brackets and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  if (isOver(fields[0])) return undefined
  const bootId = readIfThere("/proc/sys/kernel/random/boot_id")?.trim() ?? ""
  return { pid, startedAt: `${fields[19]} ${bootId}` }
}

const byPs = (pid: number): ProcessIdentity | undefined => {
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" }
  const answer = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8", env })
  const [state, ...startedAt] = (answer.stdout ?? "").trim().split(/\s+/)
  return isOver(state) || state === "" ? undefined : { pid, startedAt: startedAt.join(" ") }
}

/** The process that has this number now, or undefined where there is none. */
export const identityOf = (pid: number): ProcessIdentity | undefined => {
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return process.platform === "linux" ? onLinux(pid) : byPs(pid)
}

export const ownIdentity = (): ProcessIdentity =>
  identityOf(process.pid) ?? { pid: process.pid, startedAt: "unknown" }

/** Whether that very process is still there. */
export const isAlive = (identity: ProcessIdentity): boolean =>
  identityOf(identity.pid)?.startedAt === identity.startedAt

export interface StopStep {
  readonly signal: NodeJS.Signals
  /** How long to wait for the end before the next, harder signal, in ms. */
  readonly waitMs: number
}

const send = (identity: ProcessIdentity, signal: NodeJS.Signals) =>
  Effect.sync(() => {
    try {
      if (isAlive(identity)) process.kill(identity.pid, signal)
    } catch {
      // It ended in between, or is not ours to signal; the wait that follows tells.
    }
  })

const pollIntervalMs = 20

/** Waits until the process has ended; false when it is still there after `waitMs` milliseconds. */
export const awaitEnd = (identity: ProcessIdentity, waitMs: number): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    for (let waitedMs = 0; isAlive(identity); waitedMs += pollIntervalMs) {
      if (waitedMs >= waitMs) return false
      yield* Effect.sleep(pollIntervalMs)
    }
    return true
  })

/** Sends the signals one after the other until the process has ended; false when it outlived them all. */
export const stopProcess = (
  identity: ProcessIdentity,
  steps: ReadonlyArray<StopStep>,
): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    for (const step of steps) {
      yield* send(identity, step.signal)
      if (yield* awaitEnd(identity, step.waitMs)) return true
    }
    return !isAlive(identity)
  })

/** Ends a child process that may still run: SIGTERM, and SIGKILL where it has not ended after `waitMs`. */
export const stopChild = (child: ChildProcess, waitMs = 3_000): Effect.Effect<void> =>
  Effect.suspend(() => {
    const hasEnded = child.exitCode !== null || child.signalCode !== null
    const identity = hasEnded ? undefined : identityOf(child.pid ?? 0)
    if (identity === undefined) return Effect.void
    return Effect.asVoid(
      stopProcess(identity, [
        { signal: "SIGTERM", waitMs },
        { signal: "SIGKILL", waitMs: 2_000 },
      ]),
    )
  })
