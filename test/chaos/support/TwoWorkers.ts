/** A second issuance worker beside the supervised one, and what each of them holds and says. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import { dieWithParent } from "../../../layers/platform/DieWithParent.ts"
import { identityOf, type ProcessIdentity } from "../../../layers/platform/ProcessIdentity.ts"
import { checkout, start } from "../../support/Processes.ts"
import { query, readWith } from "./Books.ts"
import { partOf, signal } from "./HomeProcesses.ts"
import type { Place } from "./NovaSystem.ts"
import { freePorts } from "./Ports.ts"

export interface Worker {
  readonly name: string
  readonly identity: ProcessIdentity
  /** Everything that it has logged. */
  readonly log: () => string
}

const known = (name: string, pid: number, log: () => string): Effect.Effect<Worker> =>
  Effect.suspend(() => {
    const identity = identityOf(pid)
    return identity === undefined
      ? Effect.die(new Error(`The ${name} worker (process ${pid}) is gone`))
      : Effect.succeed({ name, identity, log })
  })

/** The worker that the supervisor runs. */
export const supervisedWorker = (place: Place): Effect.Effect<Worker> => {
  const file = join(place.home, "logs", "issuance-worker.log")
  const log = () => (existsSync(file) ? readFileSync(file, "utf8") : "")
  return known("first", partOf(place.home, "issuance-worker")?.identity.pid ?? 0, log)
}

export interface SecondWorker extends Worker {
  /** Whether it has ended, by itself or by being told. */
  readonly hasEnded: () => boolean
  /** Tells it to stop: its exit code or signal. */
  readonly stop: Effect.Effect<number | string>
}

/**
 * Another one with the same settings, killed with the scope. With a name of its own it is a second replica, which gets
 * what is free; without, it is the next run of the same worker, which takes over what that one holds.
 */
export const startSecondWorker = (
  place: Place,
  name?: string,
): Effect.Effect<SecondWorker, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [port = 0] = yield* freePorts(1)
    const { NOVA_PARENT_PID: _, ...settings } = partOf(place.home, "issuance-worker")?.environment ?? {}
    const command = [process.execPath, "--no-env-file", join(checkout, "src", "main.ts"), "issuance-worker"]
    const started = yield* start(dieWithParent(command, "TERM"), {
      env: {
        ...settings,
        WORKER_PORT: String(port),
        ...(name === undefined ? {} : { ISSUANCE_WORKER_NAME: name }),
      },
    })
    const worker = yield* known("second", started.pid, () => `${started.stdout()}${started.stderr()}`)
    const stop = Effect.andThen(
      Effect.sync(() => signal(worker.identity, "SIGTERM")),
      started.ended,
    )
    const hasEnded = () => started.child.exitCode !== null || started.child.signalCode !== null
    return { ...worker, hasEnded, stop }
  })

const linesWith = (worker: Worker, message: string): number => worker.log().split(message).length - 1

/** How many writes the fence refused it, by what it logged. */
export const refusals = (worker: Worker): number => linesWith(worker, "another worker has taken the channel")

/** How many steps it ended by itself, because they had taken longer than a lease lasts. */
export const stepsGivenUp = (worker: Worker): number =>
  linesWith(worker, "a step failed and will be taken again")

/** The name under which a worker holds channels, as it logged it when it began; none before that. */
const ownerName = (worker: Worker): string =>
  [...worker.log().matchAll(/"message":"issuing","owner":"([^"]+)"/g)].at(-1)?.[1] ?? ""

/** How many channels the worker holds. */
export const channelsOf = (place: Place, worker: Worker): Effect.Effect<number> =>
  query(
    place,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql<{ channels: number }>`
        SELECT count(*)::int AS channels FROM channel_accounts WHERE lease_owner = ${ownerName(worker)}`
      return row?.channels ?? 0
    }),
  )

/**
 * Starts the next run of a worker that sleeps, and waits until it holds channels of it. A channel whose row the sleeper
 * keeps locked is left to its lease (src/issuance/Channels.ts), so nothing is a reason to end: one that ends by itself
 * is started again, as its supervisor would, and `starts` tells.
 */
export const startNextRun = (
  place: Place,
  withinMs: number,
): Effect.Effect<SecondWorker & { readonly taken: number; readonly starts: number }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const untilMs = performance.now() + withinMs
    let worker = yield* startSecondWorker(place)
    for (let starts = 1; ; ) {
      const taken = yield* channelsOf(place, worker)
      if (taken > 0 || performance.now() > untilMs) return { ...worker, taken, starts }
      yield* Effect.sleep(20)
      if (!worker.hasEnded()) continue
      worker = yield* startSecondWorker(place)
      starts++
    }
  })

/**
 * Waits for a batch that is bound to a sequence and not signed yet: its worker is about to sign, and must find out
 * that it may not if it sleeps now. False when none was seen in time.
 */
export const awaitUnsigned = (place: Place, withinMs: number): Effect.Effect<boolean> =>
  readWith(
    place,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const untilMs = performance.now() + withinMs
      while (performance.now() < untilMs) {
        const [row] = yield* sql<{ unsigned: boolean }>`
          SELECT EXISTS (SELECT 1 FROM reward_issuances i WHERE i.status = 'submitted' AND NOT EXISTS (
            SELECT 1 FROM stellar_envelopes e WHERE e.channel_id = i.channel_id AND e.sequence = i.channel_sequence
          )) AS unsigned`
        if (row?.unsigned === true) return true
        yield* Effect.sleep(2)
      }
      return false
    }),
  ).pipe(Effect.map((seen) => seen === true))

const lockHolders = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ count: number }>`
    SELECT count(DISTINCT a.pid)::int AS count FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
    WHERE a.application_name = 'nova-issuance-worker' AND a.xact_start IS NOT NULL
      AND l.relation = 'campaigns'::regclass`
  return row?.count ?? 0
})

/** How many of the worker's sessions are in a transaction that has to do with a campaign's budget. */
export const sessionsOnCampaigns = (place: Place): Effect.Effect<number> => query(place, lockHolders)

/** Sends the worker to sleep while one of its transactions is open on a campaign; false when none was seen in time. */
export const stopInTransaction = (place: Place, worker: Worker, withinMs: number): Effect.Effect<boolean> =>
  readWith(
    place,
    Effect.gen(function* () {
      const untilMs = performance.now() + withinMs
      while (performance.now() < untilMs) {
        if ((yield* lockHolders) > 0) {
          signal(worker.identity, "SIGSTOP")
          // What was on its way to the server arrives, and may end the transaction after all.
          yield* Effect.sleep(300)
          if ((yield* lockHolders) > 0) return true
          signal(worker.identity, "SIGCONT")
        }
        yield* Effect.sleep(1)
      }
      return false
    }),
  ).pipe(Effect.map((stopped) => stopped === true))
