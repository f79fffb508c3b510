/**
 * A database of one's own, cloned from the migrated template, for the length of a scope.
 *
 * Give `TestDatabase.layer` to a test file's effects (once a file is enough: test/support/it.ts shares it), and it
 * finds an SqlClient on an empty, migrated schema. Other files have other databases, so none sees another's rows.
 */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { connectionTo, type EmbeddedPostgresConnection } from "../../layers/db/EmbeddedPostgres.ts"

const cluster = { socketDir: process.env.NOVA_TEST_PG_SOCKET, template: process.env.NOVA_TEST_TEMPLATE }

const howToRun =
  "This test needs the throwaway PostgreSQL that `npm test` starts: run `npm test -- <this file>` instead of `bun test`."

/** Connects as every program does; one connection is held for the shortest time. */
const clientFor = (connection: EmbeddedPostgresConnection, maxConnections: number) =>
  PgClient.layer({
    url: Redacted.make(connection.url),
    maxConnections,
    startupParameters: { timezone: "UTC" },
  })

const withAdmin = <A, E>(socketDir: string, work: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  work.pipe(Effect.provide(clientFor(connectionTo(socketDir, "postgres"), 1), { local: true }), Effect.orDie)

let created = 0

const create = (socketDir: string, template: string) => {
  const name = `test_${process.pid}_${++created}`
  return withAdmin(
    socketDir,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(template)} STRATEGY file_copy`
      return connectionTo(socketDir, name)
    }),
  )
}

const drop = (connection: EmbeddedPostgresConnection) =>
  withAdmin(
    connection.socketDir,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`DROP DATABASE IF EXISTS ${sql(connection.database)} WITH (FORCE)`
    }),
  )

/** The address of this scope's database, for programs that are started as processes: `url` is a DATABASE_URL. */
export class TestDatabase extends Context.Service<TestDatabase, EmbeddedPostgresConnection>()(
  "nova/test/TestDatabase",
) {
  /** Only the address. */
  static readonly layerAddress = Layer.effect(
    TestDatabase,
    Effect.gen(function* () {
      const { socketDir, template } = cluster
      if (socketDir === undefined || template === undefined) return yield* Effect.die(howToRun)
      return yield* Effect.acquireRelease(create(socketDir, template), drop)
    }),
  )

  /** The address and an SqlClient on it. */
  static readonly layer = Layer.unwrap(
    Effect.map(TestDatabase, (connection) => Layer.orDie(clientFor(connection, 10))),
  ).pipe(Layer.provideMerge(TestDatabase.layerAddress))
}
