/** The embedded PostgreSQL as the programs reach it, read only; each reading has a connection of its own. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { partOf } from "./HomeProcesses.ts"
import { logsOf, type Place } from "./NovaSystem.ts"

const known = new Map<string, string>()

/** The address that the programs were given, which is where PostgreSQL really is. It does not change with a restart. */
export const databaseUrlOf = (place: Place): string | undefined => {
  const program = known.has(place.home) ? undefined : partOf(place.home, "api")
  const found = program?.environment.DATABASE_URL
  if (found !== undefined) known.set(place.home, found)
  return known.get(place.home)
}

const clientFor = (url: string) =>
  PgClient.layer({
    url: Redacted.make(url),
    maxConnections: 1,
    applicationName: "nova-chaos-test",
    startupParameters: { timezone: "UTC", default_transaction_read_only: "on" },
  })

/** Runs the reading; undefined while there is no address or the server gives no answer. */
export const readWith = <A>(place: Place, reading: Effect.Effect<A, unknown, SqlClient.SqlClient>) =>
  Effect.gen(function* () {
    const url = databaseUrlOf(place)
    if (url === undefined) return undefined
    return yield* reading.pipe(
      Effect.provide(clientFor(url), { local: true }),
      Effect.timeout("10 seconds"),
      Effect.catchCause(() => Effect.succeed(undefined)),
    )
  })

/** Runs the reading, again and again while the database is away, for at most 30 s. */
export const query = <A>(place: Place, reading: Effect.Effect<A, unknown, SqlClient.SqlClient>) =>
  Effect.gen(function* () {
    for (let attempt = 0; attempt < 300; attempt++) {
      const answer = yield* readWith(place, reading)
      if (answer !== undefined) return answer
      yield* Effect.sleep(100)
    }
    return yield* Effect.die(new Error("The database gave no answer for 30 s"))
  })

export interface Progress {
  readonly pending: number
  readonly submitted: number
  /** Confirmed, failed, held or cancelled. */
  readonly ended: number
}

const readProgress = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ status: string; count: number }>`
    SELECT status, count(*)::int AS count FROM reward_issuances GROUP BY status`
  const count = (status: string) => rows.find((row) => row.status === status)?.count ?? 0
  const all = rows.reduce((sum, row) => sum + row.count, 0)
  const pending = count("pending")
  const submitted = count("submitted")
  return { pending, submitted, ended: all - pending - submitted } satisfies Progress
})

/** How far the issuances are; undefined while the database is away. */
export const progressNow = (place: Place): Effect.Effect<Progress | undefined> =>
  readWith(place, readProgress)

/** Waits until nothing is pending or submitted; dies after `withinMs` without any progress. */
export const awaitSettled = (place: Place, withinMs: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    let ended = -1
    let movedAtMs = performance.now()
    while (true) {
      const progress = yield* progressNow(place)
      if (progress !== undefined && progress.pending + progress.submitted === 0) return
      if (progress !== undefined && progress.ended > ended) {
        ended = progress.ended
        movedAtMs = performance.now()
      }
      if (performance.now() - movedAtMs > withinMs) {
        return yield* Effect.die(
          new Error(
            `Nothing settles any more: ${JSON.stringify(progress)} after ${withinMs} ms\n${logsOf(place)}`,
          ),
        )
      }
      yield* Effect.sleep(100)
    }
  })

export interface BookKeeping {
  readonly haltedChannels: number
  readonly paused: boolean
  /** Issuances whose history does not lead, step by step, from acceptance to their present state. */
  readonly brokenHistories: number
  /** Issuances with more than one `confirmed` in their history. */
  readonly confirmedTwice: number
  /** Envelopes that count as alive although nothing is bound to their sequence any more. */
  readonly danglingEnvelopes: number
}

/** What only the tables say. */
export const readBookKeeping = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<BookKeeping>`
    WITH steps AS (
      SELECT issuance_id, from_status, to_status,
        lag(to_status) OVER w AS before, lead(to_status) OVER w IS NULL AS is_last
      FROM issuance_events WINDOW w AS (PARTITION BY issuance_id ORDER BY id)
    )
    SELECT
      (SELECT count(*)::int FROM channel_accounts WHERE status <> 'open') AS "haltedChannels",
      EXISTS (SELECT 1 FROM issuance_control WHERE paused_at IS NOT NULL) AS paused,
      (SELECT count(DISTINCT i.id)::int FROM reward_issuances i LEFT JOIN steps s ON s.issuance_id = i.id
        WHERE s.issuance_id IS NULL OR s.from_status IS DISTINCT FROM s.before
          OR (s.is_last AND s.to_status <> i.status)) AS "brokenHistories",
      (SELECT count(*)::int FROM (SELECT 1 FROM issuance_events WHERE to_status = 'confirmed'
        GROUP BY issuance_id HAVING count(*) > 1) t) AS "confirmedTwice",
      (SELECT count(*)::int FROM stellar_envelopes e WHERE e.status = 'signed' AND NOT EXISTS (
        SELECT 1 FROM reward_issuances i WHERE i.status = 'submitted' AND i.channel_id = e.channel_id
          AND i.channel_sequence = e.sequence)) AS "danglingEnvelopes"`
  return row
})
