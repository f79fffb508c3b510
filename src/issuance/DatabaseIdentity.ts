/**
 * Which database this is: another one after a dump was restored, or a replica promoted.
 *
 * Invariant: rewards are bound only by a database that knows every envelope that may still apply. One that was restored
 * or promoted may lack the newest; the ledger shows that only once they have applied. So when the identity changes,
 * nothing is bound for as long as an envelope may live: by then each of them has applied, and the channel stands above
 * what was signed here, which stops issuing (rule 5), or it never will. How it would break: rows copied back into the
 * same tables, or the files of a stopped server, keep their identity; whoever restores so runs `nova recover` (docs/runbooks/restored-database.md).
 *
 * Source: PostgreSQL documentation, "Continuous Archiving" (timelines), pg_control_system(), pg_walfile_name()
 */
import { Context, Effect, Layer, Option, Ref } from "effect"
import { SqlClient } from "effect/sql"
import { IssuanceSettings } from "./IssuanceSettings.ts"

/** Ledgers beyond the last in which a lost envelope may apply: nodes are not all at the same one. */
const MARGIN_LEDGERS = 3

export class DatabaseIdentity extends Context.Service<
  DatabaseIdentity,
  {
    /** Cluster, database, table and timeline; none where the server does not tell. */
    readonly current: Effect.Effect<Option.Option<string>>
  }
>()("nova/issuance/DatabaseIdentity") {
  static readonly layer = Layer.effect(
    DatabaseIdentity,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ask = sql<{ identity: string }>`
        SELECT concat_ws(':', (SELECT system_identifier FROM pg_control_system()),
          (SELECT oid FROM pg_database WHERE datname = current_database()), 'issuance_control'::regclass::oid,
          left(pg_walfile_name(pg_current_wal_lsn()), 8)) AS identity`.pipe(
        Effect.map(([row]) => Option.fromUndefinedOr(row?.identity)),
      )
      // Asked without calling them: a call that fails would end the transaction that asks.
      const askWhetherTold = sql<{ told: boolean }>`
        SELECT coalesce(bool_and(has_function_privilege(to_regprocedure(name), 'execute')), false)
          AND count(to_regprocedure(name)) = 3 AS told
        FROM unnest(ARRAY['pg_control_system()', 'pg_walfile_name(pg_lsn)', 'pg_current_wal_lsn()']) AS needed (name)`
      const isTold = yield* Ref.make(Option.none<boolean>())
      const current = Effect.gen(function* () {
        const known = yield* Ref.get(isTold)
        if (Option.isSome(known)) return known.value ? yield* ask : Option.none<string>()
        const told = (yield* askWhetherTold)[0]?.told === true
        yield* Ref.set(isTold, Option.some(told))
        if (told) return yield* ask
        yield* Effect.logWarning("this PostgreSQL does not tell its identity: a restore will not be noticed")
        return Option.none<string>()
      })
      return DatabaseIdentity.of({ current: Effect.orDie(current) })
    }),
  )
}

interface ControlRow {
  readonly paused: boolean
  readonly identity: string | null
  readonly claims_after_ledger: bigint
}

/**
 * Whether rewards may be bound now, by what `ledger` is the newest known. Locks the row of `issuance_control` until the
 * caller's transaction ends, so that claims come one after the other.
 */
export const mayClaim = Effect.fn("DatabaseIdentity.mayClaim")(function* (ledger: number) {
  const sql = yield* SqlClient.SqlClient
  const { current } = yield* DatabaseIdentity
  const { envelopeLedgers } = yield* IssuanceSettings
  const [control] = yield* sql<ControlRow>`
    SELECT paused_at IS NOT NULL AS paused, database_identity AS identity, claims_after_ledger
    FROM issuance_control WHERE id = 1 FOR UPDATE`
  if (control === undefined || control.paused) return false
  const identity = Option.getOrNull(yield* current)
  if (identity === null || identity === control.identity) return BigInt(ledger) >= control.claims_after_ledger
  const isFirst = control.identity === null
  const claimsAfter = isFirst ? 0 : ledger + 1 + envelopeLedgers + MARGIN_LEDGERS
  yield* sql`
    UPDATE issuance_control SET database_identity = ${identity}, claims_after_ledger = ${claimsAfter} WHERE id = 1`
  if (isFirst) return true
  yield* Effect.logError(
    `this database was restored, or its server failed over: nothing new is paid before ledger ${claimsAfter}, when whatever it does not know of has been applied or has expired`,
  )
  return false
})

/** Takes the database for what it is now: whoever calls it has made sure that it knows all that may still apply. */
export const acknowledgeDatabase = Effect.fn("DatabaseIdentity.acknowledgeDatabase")(function* () {
  const sql = yield* SqlClient.SqlClient
  const { current } = yield* DatabaseIdentity
  yield* sql`
    UPDATE issuance_control SET database_identity = ${Option.getOrNull(yield* current)}, claims_after_ledger = 0
    WHERE id = 1`
})
