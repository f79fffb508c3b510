/** A dump of the database's rows, and its restoring: what a person does on a bad day, inside one database. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const tablesIn = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = ${schema} AND table_type = 'BASE TABLE' AND table_name <> 'nova_migrations' ORDER BY 1`
  return rows.map(({ name }) => name)
})

/** Copies every row of every table; answers with what brings them back. */
export const takeDump = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* tablesIn("public")
  yield* sql`DROP SCHEMA IF EXISTS dump CASCADE`
  yield* sql`CREATE SCHEMA dump`
  for (const table of tables) {
    yield* sql`CREATE TABLE ${sql(`dump.${table}`)} AS SELECT * FROM ${sql(`public.${table}`)}`
  }
  return sql.withTransaction(
    Effect.gen(function* () {
      // As pg_restore --disable-triggers: neither the append-only history nor the order of the tables is in the way.
      yield* sql`SET LOCAL session_replication_role = replica`
      for (const table of tables) {
        yield* sql`DELETE FROM ${sql(`public.${table}`)}`
        yield* sql`
          INSERT INTO ${sql(`public.${table}`)} OVERRIDING SYSTEM VALUE SELECT * FROM ${sql(`dump.${table}`)}`
      }
    }),
  )
})
