import { afterAll, expect, it } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { envExample } from "../../scripts/docs/EnvExample.ts"
import { erDiagram } from "../../scripts/docs/ErDiagram.ts"
import { errorsPage } from "../../scripts/docs/ErrorsPage.ts"
import { findStale, writeAll } from "../../scripts/docs/Generated.ts"
import { errorCodes } from "../../src/api/Problems.ts"
import * as Settings from "../../src/kernel/Settings.ts"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const directory = mkdtempSync(join(tmpdir(), "nova-docs-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

it("names the files that are missing or not as they would be written, and no others", () => {
  const files = ["a.md", "deep/b.md", "deep/c.md"].map((path) => ({ path, content: `${path}\n` }))
  expect(findStale(directory, files)).toEqual(["a.md", "deep/b.md", "deep/c.md"])
  writeAll(directory, files)
  expect(findStale(directory, files)).toEqual([])
  writeFileSync(join(directory, "deep/b.md"), "edited by hand\n")
  expect(findStale(directory, files)).toEqual(["deep/b.md"])
})

it("every error has its section", () => {
  const page = errorsPage()
  for (const code of errorCodes) expect(page).toContain(`\n## \`${code}\`\n`)
})

it("every setting has its line, with what it means above it", () => {
  const lines = envExample(Settings.all).split("\n")
  expect(Settings.all.length).toBeGreaterThan(15)
  for (const { name, fallback } of Settings.all) {
    const at = lines.indexOf(`#${name}=${fallback ?? ""}`)
    expect([name, at > 0, lines[at - 1]?.startsWith("# ")]).toEqual([name, true, true])
  }
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(112)
})

const { live } = withLayer(TestDatabase.layer)

live("the diagram shows tables, keys and references of the migrated database", () =>
  Effect.gen(function* () {
    const page = yield* erDiagram
    expect(page).toContain('  campaigns ||--o{ reward_issuances : "campaign_id, merchant_id, mode"')
    expect(page).toContain("    bigint amount_stroops\n")
    expect(page).toContain("    bytea key_hash UK\n")
    expect(page).not.toContain("nova_migrations")
  }),
)
