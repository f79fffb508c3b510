/**
 * The seeds that one process runs, on a database of its own at a throwaway PostgreSQL. Each outcome is one line of
 * JSON. The simulation is imported only after a planted bug is in place, so that its modules are the patched ones.
 */
import { createHash } from "node:crypto"
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { connectionTo } from "../../layers/db/EmbeddedPostgres.ts"
import type { Fault } from "./Fault.ts"
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
  /** The planted bug's name, where there is one. */
  readonly planted?: string
  /** Places of the faults that were chosen; absent where all of them took place. */
  readonly faults?: ReadonlyArray<number>
  readonly trace?: ReadonlyArray<string>
  /** Places of the faults that are needed, and the faults. */
  readonly minimal?: ReadonlyArray<readonly [number, Fault]>
}

/** A sign of life of a shard that looks for the fewest faults of a seed. */
export interface MinimiseLine {
  /** The seed. */
  readonly minimising: number
  readonly runs: number
  /** Faults that are left. */
  readonly left: number
}

/** Somebody asked for what a seed does not have: one sentence. */
export class Refused extends Error {}

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

/** The faults that are to take place, with their places. Throws `Refused` where the seed has none at a place. */
const placedOf = (seed: number, drawn: ReadonlyArray<Fault>, chosen: ShardPlan["faults"]) => {
  const beyond = chosen?.find((place) => place >= drawn.length)
  if (beyond !== undefined) {
    const known = `seed ${seed} has ${drawn.length} faults, at the places 0 to ${drawn.length - 1}`
    throw new Refused(`--faults: ${known}, and none at ${beyond}.`)
  }
  return drawn.flatMap((fault, place) =>
    chosen === undefined || chosen.includes(place) ? [[place, fault] as const] : [],
  )
}

/** Throws `Refused`. */
export const runShard = async (
  plan: ShardPlan,
  write: (line: ShardLine | MinimiseLine) => void,
): Promise<void> => {
  if (plan.planted !== undefined) plant(plan.planted)
  const url = await makeDatabase(plan.socketDir, plan.database)
  const { openSessions } = await import("./RealSessions.ts")
  const { simulate } = await import("./Simulate.ts")
  const { minimise } = await import("./Minimise.ts")
  const real = await openSessions(url)
  for (const seed of plan.seeds) {
    const outcome = await simulate(seed, real, (drawn) =>
      placedOf(seed, drawn, plan.faults).map(([, fault]) => fault),
    )
    const { paid, trace, violations, virtualMs } = outcome
    const [violation] = violations
    const isMinimised = violation !== undefined && plan.minimise
    const minimal = isMinimised
      ? await minimise(
          { seed, faults: placedOf(seed, outcome.faults, plan.faults), violation },
          real,
          (runs, left) => write({ minimising: seed, runs, left }),
        )
      : undefined
    write({
      seed,
      violations,
      virtualMs,
      paid,
      traceHash: createHash("sha256").update(trace.join("\n")).digest("hex"),
      ...(plan.planted === undefined ? {} : { planted: plan.planted }),
      ...(plan.faults === undefined ? {} : { faults: plan.faults }),
      ...(plan.trace ? { trace } : {}),
      ...(minimal === undefined ? {} : { minimal }),
    })
    if (violation !== undefined && plan.stopAtFailure) break
  }
  await real.close()
}
