/**
 * One measured run: a network, a database and workers of its own, a queue of rewards, and the count of what each
 * ledger paid. State that accepting would make is written in bulk; from claiming on everything is the real thing.
 */
import { cpSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { makeProgressBar } from "../../src/demo/ProgressBar.ts"
import type { Accounts } from "./Accounts.ts"
import { freshDatabase, type Ground, onDatabase } from "./Ground.ts"
import {
  type Agreement,
  compare,
  type LedgerPayment,
  latestLedger,
  ledgersAfter,
  meanCloseMs,
  type PaidOnLedger,
  paymentsAfter,
} from "./LedgerPayments.ts"
import { percentile } from "./Percentile.ts"
import { CAPACITY, type Profile } from "./Plan.ts"
import { type ProcessorShares, type ProcessorTimes, readTimes, sharesBetween } from "./ProcessorTime.ts"
import {
  type Environment,
  programEnvironment,
  type RunningNetwork,
  signingEnvironment,
  startNetwork,
  startWorker,
} from "./Programs.ts"
import { areUnsettled, countStates, openShop, queueRewards } from "./Rows.ts"
import { complaintsIn } from "./WorkerLogs.ts"

/** The accounts of all measurements, and the ledger file that has them; each run works on a copy. */
export interface Stage {
  readonly ground: Ground
  readonly accounts: Accounts
  readonly ledgerFile: string
}

export interface SettleRun {
  /** Names its database and its directory. */
  readonly name: string
  readonly profile: Profile
  readonly closeIntervalMs: number
  readonly rewards: number
  readonly workers: number
  /** Undefined leaves it to the engine. */
  readonly channels: number | undefined
  /** Rewards in one transaction at most; undefined for the engine's own limit. */
  readonly paymentsMax: number | undefined
  /** Ledgers after which the run ends unfinished. */
  readonly ledgersMax: number
  /** Only so many ledgers are measured, counted from the second that pays; all of them where undefined. */
  readonly window: number | undefined
}

export interface Settled {
  readonly profile: Profile
  readonly capacity: number
  readonly close_interval_ms: number
  /** As the ledgers' own close times say. */
  readonly close_interval_mean_ms: number
  readonly workers: number
  readonly channels: number
  readonly rewards: number
  /** Whether every reward was confirmed in time. */
  readonly finished: boolean
  readonly states: Readonly<Record<string, number>>
  /** Those measured: all between the first and the last that paid. */
  readonly ledgers: number
  readonly payments: number
  readonly payments_per_ledger: number
  /** Of the measured ledgers' capacity. */
  readonly utilisation: number
  readonly full_ledgers: number
  readonly emptiest_ledger: number
  readonly transactions: number
  readonly failed_transactions: number
  readonly fee_bumps: number
  /** Ledgers from signing to inclusion; 1 is the next one. */
  readonly ledgers_to_inclusion: { readonly p50: number; readonly p95: number; readonly max: number }
  readonly processor: ProcessorShares | null
  /** The workers' warnings and errors, with how often each was said. */
  readonly complaints: Readonly<Record<string, number>>
  readonly agreement: Agreement
}

interface Sample {
  readonly ledger: number
  readonly times: ProcessorTimes
}

interface Watched {
  readonly finished: boolean
  readonly samples: ReadonlyArray<Sample>
}

/** Follows the ledgers until nothing waits any more, noting processor times at each. */
const watch = Effect.fn("bench.watch")(function* (
  run: SettleRun,
  network: RunningNetwork,
  start: number,
  times: () => ProcessorTimes,
) {
  const bar = makeProgressBar(run.name, run.rewards, process.stderr)
  const samples: Array<Sample> = []
  let ledger = start
  let paid = 0
  let finished = false
  // A network that closes no ledgers must not hold us for ever.
  const untilMs = performance.now() + 2 * run.ledgersMax * run.closeIntervalMs + 60_000
  while (!finished && ledger - start < run.ledgersMax && performance.now() < untilMs) {
    yield* Effect.sleep(Math.min(250, run.closeIntervalMs / 4))
    const fresh = yield* ledgersAfter(network.url, ledger)
    if (fresh.length > 0) {
      paid += fresh.reduce((sum, one) => sum + one.operation_count, 0)
      ledger = fresh.at(-1)?.sequence ?? ledger
      samples.push({ ledger, times: times() })
      bar.update(Math.min(paid, run.rewards))
    }
    finished = paid >= run.rewards && !(yield* areUnsettled)
  }
  bar.finish()
  return { finished, samples } satisfies Watched
})

const environmentOf = (run: SettleRun, base: Environment): Environment => ({
  ...base,
  ...(run.channels === undefined ? {} : { NOVA_CHANNELS: String(run.channels) }),
  ...(run.paymentsMax === undefined ? {} : { ISSUANCE_BATCH_MAX: String(run.paymentsMax) }),
})

/** Starts the workers, queues the rewards once all are ready, and watches; the workers have stopped when it is done. */
const settleAll = Effect.fn("bench.settleAll")(function* (
  run: SettleRun,
  stage: Stage,
  network: RunningNetwork,
  directory: string,
  databaseUrl: string,
) {
  const base = programEnvironment(databaseUrl, network, stage.accounts)
  const env = environmentOf(run, { ...base, ...signingEnvironment(stage.accounts) })
  const pids: Array<number> = []
  for (let index = 0; index < run.workers; index++) {
    pids.push(yield* startWorker(directory, `worker-${index}`, env))
  }
  const at = new Date()
  const shop = yield* openShop(1, at)
  yield* queueRewards({ shop, wallets: stage.accounts.wallets, first: 1, count: run.rewards }, at)
  const start = yield* latestLedger(network.url)
  const watched = yield* watch(run, network, start, () =>
    readTimes({ workers: pids, postgres: stage.ground.postgresPid, network: network.pid }),
  )
  return { start, watched }
}, Effect.scoped)

interface Envelopes {
  readonly channels: number
  readonly waits: ReadonlyArray<number>
}

const readEnvelopes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ channels: number }>`SELECT count(*)::int AS channels FROM channel_accounts`
  const waits = yield* sql<{ ledgers: number }>`
    SELECT (ledger - ledger_signed)::int AS ledgers FROM stellar_envelopes WHERE status = 'applied'`
  return { channels: row?.channels ?? 0, waits: waits.map(({ ledgers }) => ledgers) } satisfies Envelopes
}).pipe(Effect.orDie)

interface Window {
  readonly first: number
  /** Exclusive. */
  readonly end: number
  readonly counts: ReadonlyArray<number>
}

/** The measured ledgers: all after the first that paid and before the last, empty ones between them included. */
export const windowOf = (
  payments: ReadonlyArray<Pick<LedgerPayment, "ledger">>,
  ledgersMax: number | undefined,
): Window => {
  const byLedger = new Map<number, number>()
  for (const { ledger } of payments) byLedger.set(ledger, (byLedger.get(ledger) ?? 0) + 1)
  const paying = [...byLedger.keys()]
  if (paying.length === 0) return { first: 0, end: 0, counts: [] }
  const first = Math.min(...paying) + 1
  const end = Math.min(Math.max(...paying), first + (ledgersMax ?? Number.POSITIVE_INFINITY))
  const counts = Array.from({ length: Math.max(0, end - first) }, (_, at) => byLedger.get(first + at) ?? 0)
  return { first, end, counts }
}

/** From the first sample in the window to the first behind it. */
const processorIn = (samples: ReadonlyArray<Sample>, { end, first }: Window): ProcessorShares | null => {
  const from = samples.find(({ ledger }) => ledger >= first - 1)
  const to = samples.find(({ ledger }) => ledger >= end - 1)
  return from === undefined || to === undefined ? null : (sharesBetween(from.times, to.times) ?? null)
}

const summarise = (
  run: SettleRun,
  watched: Watched,
  paid: PaidOnLedger,
  window: Window,
  envelopes: Envelopes,
): Omit<Settled, "agreement" | "states" | "complaints" | "close_interval_mean_ms"> => {
  const capacity = CAPACITY[run.profile]
  const { counts } = window
  const payments = counts.reduce((sum, count) => sum + count, 0)
  return {
    profile: run.profile,
    capacity,
    close_interval_ms: run.closeIntervalMs,
    workers: run.workers,
    channels: envelopes.channels,
    rewards: run.rewards,
    finished: watched.finished,
    ledgers: counts.length,
    payments,
    payments_per_ledger: payments / counts.length,
    utilisation: payments / (counts.length * capacity),
    full_ledgers: counts.filter((count) => count === capacity).length,
    emptiest_ledger: Math.min(...counts),
    transactions: paid.transactions,
    failed_transactions: paid.failedTransactions,
    fee_bumps: paid.feeBumps,
    ledgers_to_inclusion: {
      p50: percentile(envelopes.waits, 50),
      p95: percentile(envelopes.waits, 95),
      max: percentile(envelopes.waits, 100),
    },
    processor: processorIn(watched.samples, window),
  }
}

/** Runs it from the first process to the last comparison; all that it started has ended afterwards. */
export const measureSettlement = Effect.fn("bench.measureSettlement")(function* (
  stage: Stage,
  run: SettleRun,
) {
  const directory = join(stage.ground.directory, run.name)
  const ledgerFile = join(directory, "ledger")
  mkdirSync(directory, { recursive: true })
  cpSync(stage.ledgerFile, ledgerFile)
  const { closeIntervalMs, profile } = run
  const network = yield* startNetwork(directory, { ledgerFile, closeIntervalMs, profile })
  const databaseUrl = yield* freshDatabase(stage.ground, run.name)
  return yield* onDatabase(
    databaseUrl,
    Effect.gen(function* () {
      const { start, watched } = yield* settleAll(run, stage, network, directory, databaseUrl)
      const paid = yield* paymentsAfter(network.url, stage.accounts.distribution, start)
      const window = windowOf(paid.payments, run.window)
      return {
        ...summarise(run, watched, paid, window, yield* readEnvelopes),
        close_interval_mean_ms: yield* meanCloseMs(network.url, window.first, window.end - 1),
        states: yield* countStates,
        complaints: complaintsIn(directory),
        agreement: yield* compare(paid),
      } satisfies Settled
    }),
  )
}, Effect.scoped)
