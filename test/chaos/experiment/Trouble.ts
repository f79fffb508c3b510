/** What goes wrong with a database while programs use it. Each ends when the trouble is over and the server is up. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { databaseUrlOf, progressNow } from "../support/Books.ts"
import type { Chance } from "../support/Chance.ts"
import { partOf, signal } from "../support/HomeProcesses.ts"
import type { Place } from "../support/NovaSystem.ts"

export interface Trouble {
  readonly name: string
  readonly strike: (place: Place, chance: Chance) => Effect.Effect<void, unknown, Scope.Scope>
}

/** A session of somebody else on the same server, connected. */
const session = (place: Place) => Effect.tap(lazySession(place), (sql) => sql`SELECT 1`)

const lazySession = (place: Place) =>
  Effect.map(
    Layer.build(
      PgClient.layer({
        url: Redacted.make(databaseUrlOf(place) ?? ""),
        maxConnections: 1,
        applicationName: "nova-chaos-intruder",
      }),
    ),
    (services) => Context.get(services, SqlClient.SqlClient),
  )

const OURS = "nova-%"
const INTRUDERS = "nova-chaos-%"

/** Ends sessions of the programs, one after the other, chosen by the server at random. */
export const backendsKilled = (forMs: number): Trouble => ({
  name: "sessions terminated at random",
  strike: (place, chance) =>
    Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* session(place)
        const untilMs = performance.now() + forMs
        while (performance.now() < untilMs) {
          yield* sql`
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name LIKE ${OURS} AND application_name NOT LIKE ${INTRUDERS}
            ORDER BY random() LIMIT 1`
          yield* Effect.sleep(chance.between(20, 150))
        }
      }),
    ),
})

/** PostgreSQL told to stop at once, in order; the supervisor starts it again. */
export const restarted: Trouble = {
  name: "restarted",
  strike: (place) =>
    Effect.gen(function* () {
      const before = partOf(place.home, "postgres")?.identity
      if (before !== undefined) signal(before, "SIGINT")
      while ([before?.pid, undefined].includes(partOf(place.home, "postgres")?.identity.pid)) {
        yield* Effect.sleep(50)
      }
      while ((yield* progressNow(place)) === undefined) yield* Effect.sleep(50)
    }),
}

/** A transaction of somebody else that has locked every campaign and half of the channels, and is left open. */
export const transactionLeftOpen = (forMs: number): Trouble => ({
  name: "a transaction left open",
  strike: (place) =>
    Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* session(place)
        const hold = Effect.gen(function* () {
          // In the programs' order: the other way round it meets a deadlock, and PostgreSQL may end this one.
          yield* sql`SELECT 1 FROM channel_accounts WHERE id % 2 = 0 ORDER BY id FOR UPDATE`
          yield* sql`SELECT 1 FROM campaigns ORDER BY id FOR UPDATE`
          yield* Effect.sleep(forMs)
        })
        yield* sql.withTransaction(hold)
      }),
    ),
})

/** More than a server with max_connections = 100 gives. */
const SESSIONS_MAX = 110

/** All connections in others' hands, then the programs' own ended: whatever becomes free is taken again. */
export const connectionsExhausted = (forMs: number): Trouble => ({
  name: "no connection left",
  strike: (place) =>
    Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* session(place)
        const scope = yield* Scope.make()
        yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
        const takeOne = session(place).pipe(Effect.provideService(Scope.Scope, scope), Effect.isSuccess)
        let taken = 0
        while (taken < SESSIONS_MAX && (yield* takeOne)) taken++
        const untilMs = performance.now() + forMs
        while (performance.now() < untilMs) {
          yield* sql`
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name LIKE ${OURS} AND application_name NOT LIKE ${INTRUDERS}`
          while (taken < SESSIONS_MAX && (yield* takeOne)) taken++
          yield* Effect.sleep(200)
        }
      }),
    ),
})
