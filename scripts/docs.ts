/**
 * `bun run docs`: writes every generated file. `bun run docs --check` changes nothing, names the files that differ
 * from what would be written, and fails if there are any.
 */
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { startThrowawayPostgres } from "../layers/db/embedded-postgres/Throwaway.ts"
import { migrate } from "../layers/db/Migrations.ts"
import { runMain } from "../layers/platform/Platform.ts"
import * as Settings from "../src/kernel/Settings.ts"
import { envExample } from "./docs/EnvExample.ts"
import { erDiagram } from "./docs/ErDiagram.ts"
import { errorsPage } from "./docs/ErrorsPage.ts"
import { findStale, type Generated, writeAll } from "./docs/Generated.ts"
import { openApiDocument } from "./docs/OpenApiDocument.ts"
import { proofPages } from "./proof/ProofPage.ts"

const checkout = join(import.meta.dir, "..")

/** From a throwaway database that has just been migrated. */
const erPage = Effect.gen(function* () {
  const { connection } = yield* startThrowawayPostgres("nova_docs")
  const client = PgClient.layer({ url: Redacted.make(connection.url), maxConnections: 1 })
  return yield* Effect.andThen(migrate, erDiagram).pipe(Effect.provide(client))
})

const generate = Effect.gen(function* () {
  const files: ReadonlyArray<Generated> = [
    { path: "docs/openapi.json", content: openApiDocument() },
    { path: "docs/errors.md", content: errorsPage() },
    { path: ".env.example", content: envExample(Settings.all) },
    { path: "docs/er.md", content: yield* erPage },
    ...proofPages(checkout),
  ]
  return files
})

const program = Effect.gen(function* () {
  const files = yield* generate
  if (!process.argv.includes("--check")) {
    writeAll(checkout, files)
    console.log(`Written: ${files.map(({ path }) => path).join(", ")}`)
    return
  }
  const stale = findStale(checkout, files)
  if (stale.length === 0) return
  console.error(`Not as the code would generate them: ${stale.join(", ")}. Run "bun run docs".`)
  process.exitCode = 1
})

runMain(program)
