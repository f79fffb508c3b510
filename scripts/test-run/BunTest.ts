/** Runs `bun test` as a child that cannot outlive us, and reads what it counted from its JUnit report. */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { dieWithParent } from "../../layers/platform/DieWithParent.ts"
import { stopChild } from "../../layers/platform/ProcessIdentity.ts"

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface TestRun {
  readonly exitCode: number
  /** Undefined where bun ended before it could report. */
  readonly counts: Counts | undefined
}

const attributeOf = (element: string, name: string): number =>
  Number(new RegExp(` ${name}="(\\d+)"`).exec(element)?.[1] ?? 0)

/** The totals stand on the report's root element, <testsuites tests= failures= skipped= ...>. */
export const countsIn = (report: string): Counts | undefined => {
  const root = /<testsuites[^>]*>/.exec(report)?.[0]
  if (root === undefined) return undefined
  const failed = attributeOf(root, "failures")
  const skipped = attributeOf(root, "skipped")
  return { passed: attributeOf(root, "tests") - failed - skipped, failed, skipped }
}

const awaitExit = (child: ChildProcess): Effect.Effect<number> =>
  Effect.callback((resume) => {
    child.once("error", () => resume(Effect.succeed(127)))
    child.once("close", (code) => resume(Effect.succeed(code ?? 1)))
  })

/** Tests start real processes on machines that are busy; bun's own 5 s, which bunfig.toml cannot change, are few. */
const testTimeoutMs = 30_000

/** Runs the tests that `args` name (all of them for none), in the checkout, with our terminal. */
export const runBunTest = (
  checkout: string,
  args: ReadonlyArray<string>,
  env: Record<string, string | undefined>,
  reportFile: string,
): Effect.Effect<TestRun> =>
  Effect.scoped(
    Effect.gen(function* () {
      const timeout = `--timeout=${testTimeoutMs}`
      const report = ["--reporter=junit", `--reporter-outfile=${reportFile}`]
      const config = `--config=${join(checkout, "bunfig.toml")}`
      const command = dieWithParent(
        [process.execPath, config, "--no-env-file", "test", timeout, ...report, ...args],
        "KILL",
      )
      const [program = "", ...rest] = command
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(program, rest, { cwd: checkout, env, stdio: "inherit" })),
        (child) => stopChild(child),
      )
      const exitCode = yield* awaitExit(child)
      const counts = existsSync(reportFile) ? countsIn(readFileSync(reportFile, "utf8")) : undefined
      return { exitCode, counts }
    }),
  )
