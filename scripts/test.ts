/**
 * `npm test [-- <bun test arguments>]`: a throwaway PostgreSQL, a migrated template database, then `bun test`.
 *
 * The cluster's address goes to the tests in the environment (test/support/TestDatabase.ts). It is gone afterwards,
 * on Ctrl-C and kill too; after a kill -9 the next run removes it.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { startThrowawayPostgres } from "../layers/db/embedded-postgres/Throwaway.ts"
import { runMain } from "../layers/platform/Platform.ts"
import { runBunTest, type TestRun } from "./test-run/BunTest.ts"
import { migrateTemplate } from "./test-run/Template.ts"

const checkout = join(import.meta.dir, "..")
const template = "nova_template"

const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "nova-test-report-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
)

const summaryOf = (run: TestRun, seconds: string): string => {
  if (run.counts === undefined)
    return `No test ran to its end (bun test left with code ${run.exitCode}) in ${seconds} s`
  const { passed, failed, skipped } = run.counts
  return `Tests: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`
}

const program = Effect.gen(function* () {
  const startedAtMs = performance.now()
  const postgres = yield* startThrowawayPostgres(template)
  if (postgres.note !== undefined) console.error(postgres.note)
  const migrations = yield* migrateTemplate(postgres.connection)
  const readyMs = Math.round(performance.now() - startedAtMs)
  console.error(`PostgreSQL ready after ${readyMs} ms, ${migrations} migrations in the template`)
  const reports = yield* temporaryDirectory
  const env = {
    ...process.env,
    TZ: "UTC",
    NOVA_TEST_PG_SOCKET: postgres.connection.socketDir,
    NOVA_TEST_TEMPLATE: template,
  }
  const run = yield* runBunTest(checkout, process.argv.slice(2), env, join(reports, "junit.xml"))
  console.error(summaryOf(run, ((performance.now() - startedAtMs) / 1000).toFixed(1)))
  process.exitCode = run.exitCode === 0 && run.counts === undefined ? 1 : run.exitCode
})

runMain(program, { interruptedCode: 130 })
