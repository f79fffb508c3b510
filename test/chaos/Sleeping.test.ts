/**
 * A worker that sleeps for longer than its leases, while another one takes its channels over, and then wakes up in the
 * middle of what it was doing: whatever it still wants to write is refused, and nothing is paid twice. The other one is
 * a second replica, which waits for the leases to end, or the next run of the same worker, which takes over at once.
 */
import { describe, expect } from "bun:test"
import { Effect, type Scope } from "effect"
import { live } from "../support/it.ts"
import { awaitSettled } from "./support/Books.ts"
import { announcedChance, type Chance } from "./support/Chance.ts"
import { signal } from "./support/HomeProcesses.ts"
import { checkInvariants } from "./support/Invariants.ts"
import { type Merchant, makeMerchant } from "./support/Merchant.ts"
import { makePlace, type Place, readDemo, startSystem, stopSystem, whyNot } from "./support/NovaSystem.ts"
import {
  awaitUnsigned,
  channelsOf,
  refusals,
  type SecondWorker,
  sessionsOnCampaigns,
  startNextRun,
  startSecondWorker,
  stepsGivenUp,
  stopInTransaction,
  supervisedWorker,
  type Worker,
} from "./support/TwoWorkers.ts"

const LEASE_MS = 3_000

/** So long that no lease ends within a nap: what changes hands then does so by the worker's name. */
const LONG_LEASE_MS = 36_000

/** A lease is renewed when a third of it is over, so that none ends earlier than this after its worker fell asleep. */
const LONG_LEASE_LEFT_MS = 24_000

/** More naps are taken until one interrupted something. */
const NAPS_MAX = 30

/** So that there is always something to be in the middle of. */
const REWARDS_PER_SECOND = 100

/** Longest wait for the other one to get a channel: a lease, or a start on a busy machine. Milliseconds. */
const TAKEN_MS_MAX = 20_000

interface Slept {
  readonly taken: number
  readonly sleptMs: number
  /** Writes that the fence refused. */
  readonly refused: number
  /** Steps that it ended by itself. */
  readonly givenUp: number
}

/** Puts the worker to sleep in the middle of a load until others hold its channels: `awaitTaken` says how many. */
const nap = <E>(
  place: Place,
  sleeper: Worker,
  awaitTaken: Effect.Effect<number, E, Scope.Scope>,
  chance: Chance,
) =>
  Effect.gen(function* () {
    const aimed = chance.next() < 0.7
    if (aimed) yield* awaitUnsigned(place, 3_000)
    else yield* Effect.sleep(chance.between(100, 1_500))
    signal(sleeper.identity, "SIGSTOP")
    const asleepSinceMs = performance.now()
    const taken = yield* awaitTaken
    // Woken at once it may still try to write; woken later it finds that its step has taken too long.
    if (!aimed) yield* Effect.sleep(chance.between(0, 1_500))
    const before = { refused: refusals(sleeper), givenUp: stepsGivenUp(sleeper) }
    signal(sleeper.identity, "SIGCONT")
    const sleptMs = Math.round(performance.now() - asleepSinceMs)
    yield* Effect.sleep(500)
    const refused = refusals(sleeper) - before.refused
    const givenUp = stepsGivenUp(sleeper) - before.givenUp
    const slept: Slept = { taken, sleptMs, refused, givenUp }
    return slept
  })

/** A worker stopped within a transaction keeps that channel's row locked, so the other one may get only some. */
const awaitMore = (place: Place, other: Worker) =>
  Effect.gen(function* () {
    const before = yield* channelsOf(place, other)
    const sinceMs = performance.now()
    let taken = 0
    while (taken <= 0 && performance.now() - sinceMs < TAKEN_MS_MAX) {
      yield* Effect.sleep(20)
      taken = (yield* channelsOf(place, other)) - before
    }
    return taken
  })

const said = ({ givenUp, refused, sleptMs, taken }: Slept) =>
  `${sleptMs} ms, ${taken} channels taken over, ${refused} stale writes refused, ${givenUp} steps given up by itself`

/** Takes naps, `napsMin` of them and then on until one of them was `seen` to matter. */
const napUntil = <E>(
  napsMin: number,
  seen: (slept: Slept) => boolean,
  takeNap: (number: number) => Effect.Effect<Slept, E, Scope.Scope>,
) =>
  Effect.gen(function* () {
    let matters = false
    for (let naps = 1; naps <= NAPS_MAX && (naps <= napsMin || !matters); naps++) {
      const slept = yield* Effect.scoped(takeNap(naps))
      expect(slept.taken).toBeGreaterThan(0)
      matters ||= seen(slept)
    }
    expect(matters).toBe(true)
  })

const settledWell = (place: Place, merchant: Merchant) =>
  Effect.gen(function* () {
    yield* awaitSettled(place, 40_000)
    const found = yield* checkInvariants(place, readDemo(place), merchant)
    const misses = JSON.stringify(Object.fromEntries(merchant.misses))
    console.log(
      `  ${found.confirmed} confirmed, ${found.failed} failed, ${found.payments} payments; without an answer: ${misses}`,
    )
  })

/** The server ends a session that idles in a transaction after 10 s; the API's waiting requests give up before. */
const FREED_MS_MAX = 20_000

const sleepInTransaction = Effect.gen(function* () {
  const chance = announcedChance("sleep in a transaction")
  const place = yield* makePlace({ ISSUANCE_LEASE_MS: String(LEASE_MS) })
  const launched = yield* startSystem(place)
  const merchant = makeMerchant(readDemo(place), chance)
  const worker = yield* supervisedWorker(place)
  const sleep = Effect.gen(function* () {
    expect(yield* stopInTransaction(place, worker, 20_000)).toBe(true)
    const sinceMs = performance.now()
    const answered = merchant.answered.size
    while ((yield* sessionsOnCampaigns(place)) > 0 || merchant.answered.size < answered + 50) {
      expect(performance.now() - sinceMs).toBeLessThan(FREED_MS_MAX)
      yield* Effect.sleep(100)
    }
    console.log(
      `  the API accepts again after ${Math.round(performance.now() - sinceMs)} ms of the worker's sleep`,
    )
    signal(worker.identity, "SIGCONT")
  })
  yield* merchant.orderDuring(REWARDS_PER_SECOND, sleep)
  yield* settledWell(place, merchant)
  expect((yield* stopSystem(place, launched)).ending).toBe(0)
})

/**
 * A lease and a step last equally long, so a worker that slept beyond its lease mostly finds its step over before it
 * writes anything; the fence is what meets it where the step began later than the lease.
 */
const wasStopped = ({ givenUp, refused }: Slept) => givenUp + refused > 0

/** Its step still goes on: only the fence keeps it from writing. */
const wasRefused = ({ refused }: Slept) => refused > 0

/** Two replicas, each with a name of its own, take turns in sleeping. */
const sleepBesideAnother = Effect.gen(function* () {
  const chance = announcedChance("sleeping worker")
  const place = yield* makePlace({ ISSUANCE_LEASE_MS: String(LEASE_MS) })
  const launched = yield* startSystem(place)
  const merchant = makeMerchant(readDemo(place), chance)
  let sleeper = yield* supervisedWorker(place)
  const second: SecondWorker = yield* startSecondWorker(place, "second")
  let other: Worker = second
  const takeNap = (number: number) =>
    Effect.gen(function* () {
      const slept = yield* nap(place, sleeper, awaitMore(place, other), chance)
      console.log(`  nap ${number} of the ${sleeper.name} worker: ${said(slept)}`)
      ;[sleeper, other] = [other, sleeper]
      return slept
    })
  yield* merchant.orderDuring(REWARDS_PER_SECOND, napUntil(3, wasStopped, takeNap))
  expect(yield* second.stop).toBe(0)
  yield* settledWell(place, merchant)
  expect((yield* stopSystem(place, launched)).ending).toBe(0)
})

/** While the worker sleeps, its next run is started: by its name it takes everything over long before a lease ends. */
const sleepAsGhost = Effect.gen(function* () {
  const chance = announcedChance("ghost")
  const place = yield* makePlace({ ISSUANCE_LEASE_MS: String(LONG_LEASE_MS) })
  const launched = yield* startSystem(place)
  const merchant = makeMerchant(readDemo(place), chance)
  const ghost = yield* supervisedWorker(place)
  const takeNap = (number: number) =>
    Effect.gen(function* () {
      const nextRuns: Array<SecondWorker> = []
      const replace = Effect.map(startNextRun(place, TAKEN_MS_MAX), (next) => {
        nextRuns.push(next)
        return next.taken
      })
      const slept = yield* nap(place, ghost, replace, chance)
      console.log(`  nap ${number}, replaced by name: ${said(slept)}`)
      expect(slept.sleptMs).toBeLessThan(LONG_LEASE_LEFT_MS)
      for (const { stop } of nextRuns) expect(yield* stop).toBe(0)
      return slept
    })
  yield* merchant.orderDuring(REWARDS_PER_SECOND, napUntil(1, wasRefused, takeNap))
  yield* settledWell(place, merchant)
  expect((yield* stopSystem(place, launched)).ending).toBe(0)
})

describe.skipIf(whyNot !== undefined)("a worker that wakes up too late", () => {
  live("does not hold the API up for ever by the transaction that it sleeps in", () => sleepInTransaction, {
    timeout: 150_000,
  })

  live("beside another one: it gives up or is refused; nothing is paid twice", () => sleepBesideAnother, {
    timeout: 240_000,
  })

  live("replaced by its next run: its writes are refused; nothing is paid twice", () => sleepAsGhost, {
    timeout: 240_000,
  })
})
