/**
 * The seeds that one process runs, on a database of its own at a throwaway PostgreSQL. Each outcome is one line of
 * JSON. The simulation is imported only after a planted bug is in place, so that its modules are the patched ones.
 */
import { createHash } from "node:crypto"
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { connectionTo } from "../../layers/db/EmbeddedPostgres.ts"
import { plant } from "./planted/Plant.ts"

export interface ShardPlan {
  readonly socketDir: string
  readonly database: string
  readonly seeds: ReadonlyArray<number>
  /** A planted bug's name. */
  readonly planted?: string
  /** Of the seed's faults, by their place: all where it is absent. */
  readonly faults?: ReadonlyArray<number>
  readonly trace: boolean
  readonly minimise: boolean
  readonly stopAtFailure: boolean
}

export interface ShardLine {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  readonly virtualMs: number
  readonly paid: number
  /** SHA-256 of the trace, hex. */
  readonly traceHash: string
  readonly trace?: ReadonlyArray<string>
  /** Places of the faults that are needed, and the faults. */
  readonly minimal?: ReadonlyArray<readonly [number, object]>
}

const query = (url: string, effect: Effect.Effect<unknown, unknown, SqlClient.SqlClient>) =>
  Effect.runPromise(
    Effect.provide(effect, PgClient.layer({ url: Redacted.make(url), maxConnections: 1 }), { local: true }),
  )

const makeDatabase = async (socketDir: string, name: string): Promise<string> => {
  await query(
    connectionTo(socketDir, "postgres").url,
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE DATABASE ${sql(name)}`),
  )
  const { url } = connectionTo(socketDir, name)
  const { migrate } = await import("../../layers/db/Migrations.ts")
  await query(url, migrate)
  return url
}

export const runShard = async (plan: ShardPlan, write: (line: ShardLine) => void): Promise<void> => {
  if (plan.planted !== undefined) plant(plan.planted)
  const url = await makeDatabase(plan.socketDir, plan.database)
  const { openSessions } = await import("./RealSessions.ts")
  const { simulate } = await import("./Simulate.ts")
  const { minimise } = await import("./Minimise.ts")
  const real = await openSessions(url)
  for (const seed of plan.seeds) {
    const chosen = plan.faults
    const outcome = await simulate(seed, real, (faults) =>
      chosen === undefined ? faults : faults.filter((_, place) => chosen.includes(place)),
    )
    const { faults, paid, trace, violations, virtualMs } = outcome
    const isFailure = violations.length > 0
    const minimal = isFailure && plan.minimise ? await minimise(seed, faults, real) : undefined
    write({
      seed,
      violations,
      virtualMs,
      paid,
      traceHash: createHash("sha256").update(trace.join("\n")).digest("hex"),
      ...(plan.trace ? { trace } : {}),
      ...(minimal === undefined ? {} : { minimal }),
    })
    if (isFailure && plan.stopAtFailure) break
  }
  await real.close()
}
