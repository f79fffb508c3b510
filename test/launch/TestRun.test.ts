/** `npm test` itself: what it reports, and that it leaves nothing behind however it ends. */
import { expect } from "bun:test"
import { chmodSync, existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { countsIn } from "../../scripts/test-run/BunTest.ts"
import { effect, live } from "../support/it.ts"
import { checkout, eventually, isRunning, start, temporaryDirectory } from "../support/Processes.ts"

const script = join(checkout, "scripts", "test.ts")

const startRun = (file: string) =>
  Effect.gen(function* () {
    const temporary = yield* temporaryDirectory
    chmodSync(temporary, 0o755)
    const command = [process.execPath, "--no-env-file", script, `./test/launch/fixtures/${file}`]
    const run = yield* start(command, { env: { ...process.env, TMPDIR: temporary } })
    return { run, left: () => readdirSync(temporary) }
  })

const awaitSleeper = (run: { readonly stdout: () => string }) =>
  Effect.gen(function* () {
    yield* eventually("the test sleeps", () => /sleeping \d+ .*\n/.test(run.stdout()))
    const [, pid, socketDir] = /sleeping (\d+) (.*)\n/.exec(run.stdout()) ?? []
    expect(existsSync(socketDir ?? "")).toBe(true)
    return { pid: Number(pid), socketDir: socketDir ?? "" }
  })

live("reports what passed, failed and was skipped, fails, and leaves nothing", () =>
  Effect.gen(function* () {
    const { run, left } = yield* startRun("Failing.ts")
    expect(yield* run.ended).toBe(1)
    expect(run.stderr()).toMatch(/^Tests: 1 passed, 1 failed, 1 skipped in [\d.]+ s$/m)
    expect(left()).toEqual([])
  }),
)

live("fails when no test is found", () =>
  Effect.gen(function* () {
    const { run, left } = yield* startRun("NoSuchFile.ts")
    expect(yield* run.ended).toBe(1)
    expect(left()).toEqual([])
  }),
)

live("SIGTERM ends the tests and PostgreSQL, with a code that is not success", () =>
  Effect.gen(function* () {
    const { run, left } = yield* startRun("Sleeping.ts")
    const sleeper = yield* awaitSleeper(run)
    run.child.kill("SIGTERM")
    expect(yield* run.ended).toBe(130)
    expect(isRunning(sleeper.pid)).toBe(false)
    expect(left()).toEqual([])
  }),
)

live("kill -9 ends the tests and PostgreSQL too, and the next run removes what is left", () =>
  Effect.gen(function* () {
    const { run, left } = yield* startRun("Sleeping.ts")
    const sleeper = yield* awaitSleeper(run)
    run.child.kill("SIGKILL")
    yield* eventually("the tests are gone", () => !isRunning(sleeper.pid))
    yield* eventually("the server is gone", () => !existsSync(join(sleeper.socketDir, ".s.PGSQL.5432")))
    const [temporary = ""] = sleeper.socketDir.split("/nova-throwaway-")
    const command = [process.execPath, "--no-env-file", script, "./test/launch/fixtures/Failing.ts"]
    const next = yield* start(command, { env: { ...process.env, TMPDIR: temporary } })
    yield* next.ended
    expect(left().filter((name) => name.startsWith("nova-throwaway-"))).toEqual([])
  }),
)

effect("reads the totals of a JUnit report", () =>
  Effect.sync(() => {
    const report =
      '<?xml version="1.0"?>\n<testsuites name="bun test" tests="7" failures="2" skipped="1" time="1.5">\n'
    expect(countsIn(report)).toEqual({ passed: 4, failed: 2, skipped: 1 })
    expect(countsIn("")).toBeUndefined()
  }),
)
