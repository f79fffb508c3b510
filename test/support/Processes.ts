/** Real processes for tests: started, watched, and ended whatever the test does. */
import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { identityOf } from "../../layers/platform/ProcessIdentity.ts"

export const checkout = join(import.meta.dir, "..", "..")

/** A new directory that every user may pass through, gone with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "nova-test-"))
    chmodSync(path, 0o711)
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
)

export interface Started {
  readonly pid: number
  readonly child: ChildProcess
  /** What it printed so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Completes with its exit code, or the signal that ended it, when its output is read to the end. */
  readonly ended: Effect.Effect<number | string>
}

const end = (child: ChildProcess) => {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
}

/** Starts a command; it is killed with the scope if it still runs. */
export const start = (
  command: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: Record<string, string | undefined> } = {},
) =>
  Effect.acquireRelease(
    Effect.sync((): Started => {
      const [program = "", ...args] = command
      const child = spawn(program, args, {
        cwd: options.cwd ?? checkout,
        env: options.env ?? process.env,
        stdio: ["ignore", "pipe", "pipe"],
      })
      const output = { stdout: "", stderr: "" }
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output.stdout += text
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        output.stderr += text
      })
      const ended = new Promise<number | string>((resolve) => {
        child.once("error", (cause) => resolve(String(cause)))
        child.once("close", (code, signal) => resolve(code ?? signal ?? "unknown"))
      })
      return {
        pid: child.pid ?? 0,
        child,
        stdout: () => output.stdout,
        stderr: () => output.stderr,
        ended: Effect.promise(() => ended),
      }
    }),
    ({ child }) => Effect.sync(() => end(child)),
  )

/** Waits until the condition holds; a test that waits for what never comes fails with `what`, after 15 s. */
export const eventually = (what: string, condition: () => boolean, seconds = 15): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (!condition()) yield* Effect.sleep(20)
  }).pipe(
    Effect.timeout(seconds * 1000),
    Effect.catch(() => Effect.die(new Error(`It never happened: ${what}`))),
  )

export const isRunning = (pid: number): boolean => identityOf(pid) !== undefined
