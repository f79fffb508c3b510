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

/**
 * Limits of a program's sessions. A worker that is stopped inside a transaction, or a host that is gone, must not
 * hold a channel or a campaign for longer than its lease; its writes are fenced, so ending its session is safe.
 */
const SESSION_LIMITS = {
  idle_in_transaction_session_timeout: "10s",
  lock_timeout: "5s",
  statement_timeout: "15s",
  tcp_keepalives_idle: "15",
  tcp_keepalives_interval: "5",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "30s",
}

const connection = (program: string, limits: Readonly<Record<string, string>>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const url = yield* Settings.databaseUrl
      const maxConnections = yield* Settings.dbPoolMax
      return PgClient.layer({
        url,
        maxConnections,
        applicationName: `nova-${program}`,
        startupParameters: { timezone: "UTC", ...limits },
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

/** For one-shot commands such as migrations, which may wait for each other and take their time. */
export const layerPatient = (program: string) => connection(program, {})

/** The connection pool of a program; `program` names it in pg_stat_activity. Refuses a database that may lose a commit. */
export const layer = (program: string) =>
  Layer.effectDiscard(checkDurability).pipe(Layer.provideMerge(connection(program, SESSION_LIMITS)))
