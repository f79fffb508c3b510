/**
 * The experiment: issuances over HTTP from several merchants, with repeats, while the system's parts are killed, sleep
 * and stop; in the end every invariant, by the ledger, the API and the tables, and by `nova reconcile`.
 */
import { Effect, Fiber, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import type { Started } from "../../support/Processes.ts"
import { awaitSettled, query } from "../support/Books.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { type Findings, findViolations, type Shop } from "../support/Invariants.ts"
import { awaitHealed, makePlace, type Place, startSystem, stopSystem } from "../support/NovaSystem.ts"
import { openShops, runCommand } from "../support/Shops.ts"
import { countedCloses, ledgersIn, quantile, type Span, unionMs } from "./Delay.ts"
import { type Patient, performStrike } from "./PerformStrike.ts"
import { drawStrikes } from "./Strike.ts"
import { startWatch, type Watch } from "./Watch.ts"

export interface KillPlan {
  readonly seed: number
  readonly issuances: number
  readonly kills: number
  readonly merchants: number
  readonly leaseMs: number
  /** Told after each strike. */
  readonly onStrike: (done: number, of: number) => void
}

/** Ledgers between acceptance and end: the middle, one in a hundred, one in a thousand, the longest. */
export interface Delays {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface KillFigures extends Findings {
  readonly seconds: number
  readonly strikes: number
  readonly kills: number
  readonly killsOf: Readonly<Record<string, number>>
  readonly sleeps: number
  readonly staleWritesRefused: number
  readonly stops: number
  readonly slowestStopMs: number
  readonly duplicates: number
  readonly misses: Readonly<Record<string, number>>
  readonly ledgers: number
  /** Those that closed while nothing was down. */
  readonly ledgersCounted: number
  /** Seconds for which worker, database or network were down, one of them or several. */
  readonly downSeconds: number
  /** Without the ledgers that closed while something needed was down. */
  readonly delayed: Delays
  /** With them. */
  readonly delayedInAll: Delays
  /** Rewards that took more than so many ledgers in which nothing was down, and that limit. */
  readonly stuck: number
  readonly ledgersMax: number
  readonly reconciled: number | string
  readonly violations: ReadonlyArray<string>
}

/** The promise: nothing is stuck for more than so many ledgers. */
export const LEDGERS_MAX = 15

/**
 * The shortest time between ledgers at which their close times, whole seconds that must grow, keep to the clock. With
 * less they run ahead of it, and time bounds that are taken from the clock would be over before they begin.
 */
const LEDGER_MS = 1_000

/** Longest pause between orders and the strike that meets them, in ms: a ledger and a half. */
const STRIKE_MS_MAX = 1_500

/** The time within which the rewards of one burst are ordered, in ms: a strike meets some of them at the API. */
const SPREAD_MS = 2_500

/** How long everything may stand still in the end, in ms. */
const SETTLED_MS_MAX = 60_000

/** One of so many rewards is ordered twice. */
const REPEATED = 10

/** How many rewards are ordered ahead of each strike: some many, some few. */
const drawBursts = (plan: KillPlan, count: number, chance: Chance): ReadonlyArray<number> => {
  const weights = Array.from({ length: count }, () => 0.1 + chance.next() ** 2)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const bursts = weights.map((weight) => Math.floor((plan.issuances * weight) / sum))
  const rest = plan.issuances - bursts.reduce((total, burst) => total + burst, 0)
  return bursts.map((burst, index) => burst + (index === 0 ? rest : 0))
}

/** What the merchants order at one time, each its part. */
const orderBurst = (shops: ReadonlyArray<Shop>, rewards: number) =>
  Effect.forEach(
    shops,
    ({ merchant }, index) => {
      const count = Math.floor((rewards + index) / shops.length)
      return count === 0
        ? Effect.void
        : merchant.order(count, Math.ceil(count / REPEATED), 240_000, SPREAD_MS)
    },
    { concurrency: "unbounded", discard: true },
  )

const strikeAll = (plan: KillPlan, patient: Patient, shops: ReadonlyArray<Shop>) =>
  Effect.gen(function* () {
    const { chance } = patient
    const strikes = drawStrikes(plan.kills, chance)
    const bursts = drawBursts(plan, strikes.length, chance)
    const orders: Array<Fiber.Fiber<void>> = []
    for (const [index, strike] of strikes.entries()) {
      orders.push(yield* Effect.forkScoped(orderBurst(shops, bursts[index] ?? 0)))
      yield* Effect.sleep(chance.between(0, STRIKE_MS_MAX))
      yield* performStrike(patient, strike)
      plan.onStrike(index + 1, strikes.length)
    }
    yield* awaitHealed(patient.place)
    for (const order of orders) yield* Fiber.join(order)
    yield* awaitSettled(patient.place, SETTLED_MS_MAX)
    return strikes.length
  })

/** Acceptance and end of every issuance, in ms. */
const readSpans = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Span>`
    SELECT (extract(epoch FROM created_at) * 1000)::float8 AS "fromMs",
      (extract(epoch FROM updated_at) * 1000)::float8 AS "untilMs"
    FROM reward_issuances`
})

const delaysOf = (ledgers: ReadonlyArray<number>): Delays => ({
  p50: quantile(ledgers, 0.5),
  p99: quantile(ledgers, 0.99),
  p999: quantile(ledgers, 0.999),
  max: quantile(ledgers, 1),
})

const measureDelays = (place: Place, watch: Watch) =>
  Effect.gen(function* () {
    const spans = yield* query(place, readSpans)
    const downs = watch.downs.filter(({ part }) => part !== "api")
    const counted = countedCloses(watch.closes, downs)
    const delays = spans.map((span) => ledgersIn(counted, span))
    return {
      ledgers: watch.closes.length,
      ledgersCounted: counted.length,
      downSeconds: Math.round(unionMs(downs) / 1000),
      delayed: delaysOf(delays),
      delayedInAll: delaysOf(spans.map((span) => ledgersIn(watch.closes, span))),
      stuck: delays.filter((delay) => delay > LEDGERS_MAX).length,
      ledgersMax: LEDGERS_MAX,
    }
  })

const missesOf = (shops: ReadonlyArray<Shop>): Record<string, number> => {
  const all: Record<string, number> = {}
  for (const { merchant } of shops) {
    for (const [miss, count] of merchant.misses) all[miss] = (all[miss] ?? 0) + count
  }
  return all
}

const makePatient = (plan: KillPlan, place: Place, launched: Started, watch: Watch): Patient => ({
  place,
  launched,
  watch,
  chance: makeChance(plan.seed + 1),
  leaseMs: plan.leaseMs,
  kills: 0,
  killsOf: new Map(),
  stopsMs: [],
  refused: 0,
  sleeps: 0,
  wrongs: [],
})

/** Runs it on a system of its own, which is gone afterwards. */
export const runKills = (plan: KillPlan): Effect.Effect<KillFigures, never, Scope.Scope> =>
  Effect.gen(function* () {
    const startedAtMs = performance.now()
    const place = yield* makePlace({
      ISSUANCE_LEASE_MS: String(plan.leaseMs),
      LOCALNET_CLOSE_INTERVAL_MS: String(LEDGER_MS),
    })
    const launched = yield* startSystem(place)
    const shops = yield* openShops(place, makeChance(plan.seed), plan.merchants)
    const watch = yield* startWatch(place)
    const patient = makePatient(plan, place, launched, watch)
    const strikes = yield* strikeAll(plan, patient, shops)
    const delays = yield* measureDelays(place, watch)
    const { violations, ...found } = yield* findViolations(place, shops)
    const reconciled = yield* runCommand(place, "reconcile")
    const stopped = yield* stopSystem(place, patient.launched)
    const reconcileSays =
      reconciled.code === 0 ? [] : [`nova reconcile: ${reconciled.stdout}${reconciled.stderr}`]
    return {
      ...found,
      ...delays,
      seconds: Math.round((performance.now() - startedAtMs) / 100) / 10,
      strikes,
      kills: patient.kills,
      killsOf: Object.fromEntries(patient.killsOf),
      sleeps: patient.sleeps,
      staleWritesRefused: patient.refused,
      stops: patient.stopsMs.length,
      slowestStopMs: Math.round(Math.max(0, ...patient.stopsMs)),
      duplicates: shops.reduce((sum, { merchant }) => sum + merchant.duplicates(), 0),
      misses: missesOf(shops),
      reconciled: reconciled.code,
      violations: [
        ...violations,
        ...patient.wrongs,
        ...reconcileSays,
        ...(stopped.ending === 0 ? [] : [`the last stop ended with ${stopped.ending}`]),
      ],
    }
  })
