/** Migrates the database that every test file's own database is cloned from. The one place that knows how. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { connectionTo, type EmbeddedPostgresConnection } from "../../layers/db/EmbeddedPostgres.ts"
import { migrate } from "../../layers/db/Migrations.ts"

const clientFor = (connection: EmbeddedPostgresConnection) =>
  PgClient.layer({
    url: Redacted.make(connection.url),
    maxConnections: 1,
    startupParameters: { timezone: "UTC" },
  })

/** A database with an open connection cannot be cloned, so nobody may connect to the template any more. */
const close = (template: EmbeddedPostgresConnection) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`ALTER DATABASE ${sql(template.database)} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`
  }).pipe(Effect.provide(clientFor(connectionTo(template.socketDir, "postgres"))))

/** Migrates the database and closes it as a template. Answers with the number of migrations. */
export const migrateTemplate = (template: EmbeddedPostgresConnection) =>
  Effect.gen(function* () {
    const done = yield* migrate.pipe(Effect.provide(clientFor(template)))
    yield* close(template)
    return done.length
  })
