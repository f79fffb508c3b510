/**
 * Several workers on one pool, each taking a step at the same time as the others and then all waiting for the next
 * ledger, five seconds later. The database itself keeps a record of who held a channel when something was written
 * for it: `violations` compares that with who wrote.
 */
import { Clock, Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Batches } from "../../src/issuance/Batches.ts"
import { Channels } from "../../src/issuance/Channels.ts"
import type { Lease } from "../../src/issuance/Lease.ts"
import { step } from "../../src/programs/IssuanceWorker.ts"
import type { TestNetwork } from "../support/IssuanceScene.ts"
import { LEASE_MS } from "../support/WorkerScene.ts"

/** Records the channel's token of the moment at which an envelope is stored, and at which it is settled. */
export const recordWrites = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE write_record (hash text, what text, token bigint)`
  yield* sql`
    CREATE FUNCTION record_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO write_record SELECT NEW.hash, NEW.status, lease_token FROM channel_accounts WHERE id = NEW.channel_id;
      RETURN NEW;
    END $$`
  yield* sql`
    CREATE TRIGGER record_write AFTER INSERT OR UPDATE OF status ON stellar_envelopes
    FOR EACH ROW EXECUTE FUNCTION record_write()`
})

/** What the workers themselves wrote with success: "hash signed token". */
export type Written = Array<string>

/** Batches whose successful writes are noted with the token that they carried. */
export const noting = (written: Written) =>
  Layer.effect(
    Batches,
    Effect.map(Batches, (batches) => {
      const note = (lease: Lease, hash: string, what: string) =>
        Effect.sync(() => {
          written.push(`${hash} ${what} ${lease.token}`)
        })
      return Batches.of({
        ...batches,
        recordSigned: (lease, envelope) =>
          Effect.tap(batches.recordSigned(lease, envelope), () => note(lease, envelope.hash, "signed")),
        settlePaid: (lease, batch) =>
          Effect.tap(batches.settlePaid(lease, batch), () => note(lease, batch.hash, "applied")),
        settleFailed: (lease, batch) =>
          Effect.tap(batches.settleFailed(lease, batch), () => note(lease, batch.hash, "applied")),
      })
    }),
  )

/** Writes whose writer did not hold the channel at that moment. */
export const violations = Effect.fnUntraced(function* (written: Written) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ line: string }>`
    SELECT hash || ' ' || what || ' ' || token AS line FROM write_record WHERE what <> 'expired'`
  const recorded = new Set(rows.map(({ line }) => line))
  return written.filter((line) => !recorded.has(line))
})

export interface Worker {
  readonly owner: string
  leases: ReadonlyArray<Lease>
  leasedAtMs: number
}

export const newWorker = (owner: string): Worker => ({ owner, leases: [], leasedAtMs: 0 })

/** As the program does it: leases renewed after a third of their time, then a step. */
export const takeStep = Effect.fnUntraced(function* (worker: Worker) {
  const channels = yield* Channels
  const nowMs = yield* Clock.currentTimeMillis
  if (worker.leases.length === 0 || nowMs - worker.leasedAtMs >= LEASE_MS / 3) {
    worker.leases = yield* channels.lease(worker.owner, LEASE_MS)
    worker.leasedAtMs = nowMs
  }
  yield* step(worker.leases)
})

/** All of them at the same time, then a ledger. */
export const tick = (stage: TestNetwork, workers: ReadonlyArray<Worker>) =>
  Effect.andThen(
    Effect.forEach(workers, (worker) => Effect.exit(takeStep(worker)), { concurrency: "unbounded" }),
    stage.close,
  )

/** The same, but one of them is killed after so many milliseconds of its step, with nothing given back. */
export const tickKilling = (
  stage: TestNetwork,
  workers: ReadonlyArray<Worker>,
  killed: Worker,
  afterMs: number,
) =>
  Effect.gen(function* () {
    const dying = yield* Effect.forkChild(Effect.exit(takeStep(killed)))
    const others = yield* Effect.forkChild(
      Effect.forEach(workers, (worker) => Effect.exit(takeStep(worker)), { concurrency: "unbounded" }),
    )
    yield* Effect.promise(() => Bun.sleep(afterMs))
    yield* Fiber.interrupt(dying)
    yield* Fiber.join(others)
    yield* stage.close
  })

/** How many channels each owner holds by a lease that has not ended. */
export const shares = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const now = new Date(yield* Clock.currentTimeMillis)
  const rows = yield* sql<{ lease_owner: string; count: number }>`
    SELECT lease_owner, count(*)::int AS count FROM channel_accounts
    WHERE lease_owner IS NOT NULL AND lease_until >= ${now} GROUP BY 1 ORDER BY 1`
  return Object.fromEntries(rows.map(({ count, lease_owner }) => [lease_owner, count]))
})
