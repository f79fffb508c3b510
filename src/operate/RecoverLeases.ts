/**
 * Every channel at once, for one hand: while `recover` mends the books, no worker may write to them.
 *
 * Invariant: what recovery writes is written under a lease of every channel, renewed in the same transaction; when one
 * of them has changed hands, nothing is written. A worker that is alive is never robbed: recovery refuses instead.
 */
import { Clock, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { IssuanceSettings } from "../issuance/IssuanceSettings.ts"

/** Why the database is left as it is: one sentence with the way out. */
export class RecoverRefused extends Schema.TaggedError<RecoverRefused>()("RecoverRefused", {
  code: Schema.Literals(["worker_alive", "leases_lost", "wrong_seed", "network_was_reset", "node_behind"]),
  message: Schema.String,
}) {}

/** Leases of recovery last so many of a worker's, since a page of Horizon's may take its time. */
const LEASES = 4

/** Who holds a channel now, or was seen as a worker within one lease time. */
const livingWorkers = Effect.fnUntraced(function* (owner: string, nowMs: number) {
  const sql = yield* SqlClient.SqlClient
  const { leaseMs } = yield* IssuanceSettings
  const rows = yield* sql<{ who: string }>`
    SELECT lease_owner AS who FROM channel_accounts
    WHERE lease_owner <> ${owner} AND lease_until >= ${new Date(nowMs)}
    UNION
    SELECT id FROM issuance_workers WHERE seen_at >= ${new Date(nowMs - leaseMs)}
    ORDER BY 1`
  return rows.map(({ who }) => who)
})

/**
 * Refuses while a worker is alive.
 *
 * @error RecoverRefused worker_alive, with the workers' names
 */
export const demandNoWorker = Effect.fn("RecoverLeases.demandNoWorker")(function* (owner: string) {
  const { leaseMs } = yield* IssuanceSettings
  const workers = yield* Effect.orDie(livingWorkers(owner, yield* Clock.currentTimeMillis))
  if (workers.length === 0) return
  return yield* new RecoverRefused({
    code: "worker_alive",
    message: `${workers.join(", ")} still works on this database: stop every issuance worker; one that was killed is gone ${Math.ceil((leaseMs * LEASES) / 1000)} s later at most.`,
  })
})

/**
 * Takes every channel for `owner`, or renews it.
 *
 * @error RecoverRefused worker_alive where somebody else holds one
 */
export const takeEveryLease = Effect.fn("RecoverLeases.takeEveryLease")(function* (owner: string) {
  const sql = yield* SqlClient.SqlClient
  const { leaseMs } = yield* IssuanceSettings
  const nowMs = yield* Clock.currentTimeMillis
  const until = new Date(nowMs + leaseMs * LEASES)
  yield* sql`SELECT id FROM channel_accounts ORDER BY id FOR UPDATE`.pipe(Effect.orDie)
  yield* demandNoWorker(owner)
  yield* sql`
    UPDATE channel_accounts SET
      lease_token = CASE WHEN lease_owner = ${owner} THEN lease_token ELSE lease_token + 1 END,
      lease_owner = ${owner}, lease_until = ${until}, updated_at = ${new Date(nowMs)}`.pipe(Effect.orDie)
})

/**
 * Renews the leases inside the caller's transaction, or fails it.
 *
 * @error RecoverRefused leases_lost where a channel has changed hands
 */
export const renewLeases = Effect.fn("RecoverLeases.renewLeases")(function* (owner: string) {
  const sql = yield* SqlClient.SqlClient
  const { leaseMs } = yield* IssuanceSettings
  const nowMs = yield* Clock.currentTimeMillis
  const [row] = yield* sql<{ lost: number }>`
    WITH locked AS (SELECT id, lease_owner FROM channel_accounts ORDER BY id FOR UPDATE), renewed AS (
      UPDATE channel_accounts c SET lease_until = ${new Date(nowMs + leaseMs * LEASES)}
      FROM locked WHERE c.id = locked.id AND locked.lease_owner = ${owner}
    )
    SELECT count(*) FILTER (WHERE lease_owner IS DISTINCT FROM ${owner})::int AS lost FROM locked`.pipe(
    Effect.orDie,
  )
  if (row?.lost === 0) return
  return yield* new RecoverRefused({
    code: "leases_lost",
    message:
      "A worker took a channel while the books were being mended: stop it, and run nova recover again.",
  })
})

/** Gives every channel back. */
export const releaseEveryLease = Effect.fn("RecoverLeases.releaseEveryLease")(function* (owner: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    UPDATE channel_accounts SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = ${owner}`.pipe(
    Effect.orDie,
  )
})
