/**
 * Layer of the Db port (effect/sql's SqlClient) on PostgreSQL.
 *
 * The session speaks UTC. `synchronous_commit` is demanded on: an envelope that is sent before its row is durable
 * could be paid and forgotten (docs/adr/0003-at-most-once.md).
 */
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as Settings from "../../src/kernel/Settings.ts"

/** A reason not to start, in one sentence with the way out. */
export class DatabaseUnusable extends Schema.TaggedError<DatabaseUnusable>()("DatabaseUnusable", {
  message: Schema.String,
}) {}

const connection = (program: string) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const url = yield* Settings.databaseUrl
      const maxConnections = yield* Settings.dbPoolMax
      return PgClient.layer({
        url,
        maxConnections,
        applicationName: `nova-${program}`,
        startupParameters: { timezone: "UTC" },
      })
    }),
  )

const checkDurability = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ setting: string }>`SELECT current_setting('synchronous_commit') AS setting`
  if (row?.setting === "off") {
    return yield* new DatabaseUnusable({
      message:
        "PostgreSQL's synchronous_commit is off: a crash could forget a payment that was already sent. Set it to on for this database.",
    })
  }
})

/** The connection pool of one program; `program` names it in pg_stat_activity. */
export const layer = (program: string) => connection(program)

/** As `layer`, and refuses a database that may lose a commit. */
export const layerDurable = (program: string) =>
  Layer.effectDiscard(checkDurability).pipe(Layer.provideMerge(connection(program)))
