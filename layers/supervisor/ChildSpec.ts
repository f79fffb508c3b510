/** A program that the supervisor keeps running. */
import type { Effect } from "effect"
import type { RunAs } from "../platform/DieWithParent.ts"
import type { StopStep } from "../platform/ProcessIdentity.ts"
import type { StartupFailure } from "../platform/StartupFailure.ts"

export interface ChildSpec {
  /** Names its pid file and its lines in our log. */
  readonly name: string
  readonly command: ReadonlyArray<string>
  /** Another user to run as; needs root and setpriv. */
  readonly runAs?: RunAs
  readonly cwd?: string
  /** Added to our own environment, or the whole of it with `environmentIsWhole`. */
  readonly env?: Readonly<Record<string, string>>
  readonly environmentIsWhole?: boolean
  /** Gets what the child prints. One above 10 MB is set aside as `.1` at a start. */
  readonly logFile: string
  /** Runs before every start, restarts included. */
  readonly prepare?: Effect.Effect<void, StartupFailure>
  /** Asked every 50 ms until it is true. Must not fail or hang: give it a timeout of its own. */
  readonly isReady: (pid: number) => Effect.Effect<boolean>
  /** 30,000 ms where it is not given. */
  readonly readyWithinMs?: number
  /** SIGTERM, 15 s, SIGKILL where it is not given. */
  readonly stopSteps?: ReadonlyArray<StopStep>
  /** A sentence about its end before it was ever ready, from what it printed. */
  readonly explainEnd?: (output: string) => string
  /** What the kernel sends it at our death. SIGTERM where it is not given. */
  readonly deathSignal?: "INT" | "TERM" | "KILL"
}

export const defaultStopSteps: ReadonlyArray<StopStep> = [
  { signal: "SIGTERM", waitMs: 15_000 },
  { signal: "SIGKILL", waitMs: 2_000 },
]
