/**
 * A worker that sleeps for longer than its leases, while another one takes its channels over, and then wakes up in the
 * middle of what it was doing: whatever it still wants to write is refused, and nothing is paid twice.
 */
import { describe, expect } from "bun:test"
import { Effect, Fiber } from "effect"
import { live } from "../support/it.ts"
import { awaitSettled } from "./support/Books.ts"
import { announcedChance, type Chance } from "./support/Chance.ts"
import { signal } from "./support/HomeProcesses.ts"
import { checkInvariants } from "./support/Invariants.ts"
import { makeMerchant } from "./support/Merchant.ts"
import { makePlace, type Place, readDemo, startSystem, stopSystem, whyNot } from "./support/NovaSystem.ts"
import {
  awaitUnsigned,
  channelsOf,
  refusals,
  sessionsOnCampaigns,
  startSecondWorker,
  stepsGivenUp,
  stopInTransaction,
  supervisedWorker,
  type Worker,
} from "./support/TwoWorkers.ts"

const LEASE_MS = 3_000
const NAPS_MIN = 6
/** More naps are taken until a stale write was seen to be refused. */
const NAPS_MAX = 30
/** Rewards for each nap, so that there is always something to be in the middle of. */
const REWARDS = 300

/** Puts the worker to sleep in the middle of a load until the other one holds channels and has gone on. */
const nap = (place: Place, sleeper: Worker, other: Worker, chance: Chance) =>
  Effect.gen(function* () {
    const aimed = chance.next() < 0.7
    if (aimed) yield* awaitUnsigned(place, 3_000)
    else yield* Effect.sleep(chance.between(100, 1_500))
    signal(sleeper.identity, "SIGSTOP")
    const asleepSinceMs = performance.now()
    const hadBefore = yield* channelsOf(place, other)
    // A worker stopped within a transaction keeps that channel's row locked, so the other one may get only some.
    let taken = 0
    while (taken === 0 && performance.now() - asleepSinceMs < LEASE_MS + 15_000) {
      yield* Effect.sleep(20)
      taken = (yield* channelsOf(place, other)) - hadBefore
    }
    // Woken at once it may still try to write; woken later it finds that its step has taken too long.
    if (!aimed) yield* Effect.sleep(chance.between(0, 1_500))
    const before = { refused: refusals(sleeper), givenUp: stepsGivenUp(sleeper) }
    signal(sleeper.identity, "SIGCONT")
    const sleptMs = Math.round(performance.now() - asleepSinceMs)
    yield* Effect.sleep(500)
    return {
      taken,
      sleptMs,
      refused: refusals(sleeper) - before.refused,
      givenUp: stepsGivenUp(sleeper) - before.givenUp,
    }
  })

/** The server ends a session that idles in a transaction after 10 s; the API's waiting requests give up before. */
const FREED_MS_MAX = 20_000

const sleepInTransaction = Effect.gen(function* () {
  const chance = announcedChance("sleep in a transaction")
  const place = yield* makePlace({ ISSUANCE_LEASE_MS: String(LEASE_MS) })
  const launched = yield* startSystem(place)
  const demo = readDemo(place)
  const merchant = makeMerchant(demo, chance)
  const worker = yield* supervisedWorker(place)
  const order = yield* Effect.forkChild(merchant.order(1_200, 0, 90_000))
  expect(yield* stopInTransaction(place, worker, 8_000)).toBe(true)
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
  yield* Fiber.join(order)
  yield* awaitSettled(place, 40_000)
  const found = yield* checkInvariants(place, demo, merchant)
  const misses = JSON.stringify(Object.fromEntries(merchant.misses))
  console.log(`  ${found.confirmed} confirmed, ${found.payments} payments; without an answer: ${misses}`)
  expect((yield* stopSystem(place, launched)).ending).toBe(0)
})

describe.skipIf(whyNot !== undefined)("a worker that wakes up too late", () => {
  live("does not hold the API up for ever by the transaction that it sleeps in", () => sleepInTransaction, {
    timeout: 150_000,
  })

  live(
    "finds its writes refused; nothing is paid twice",
    () =>
      Effect.gen(function* () {
        const chance = announcedChance("sleeping worker")
        const place = yield* makePlace({ ISSUANCE_LEASE_MS: String(LEASE_MS) })
        const launched = yield* startSystem(place)
        const demo = readDemo(place)
        const merchant = makeMerchant(demo, chance)
        yield* Effect.scoped(
          Effect.gen(function* () {
            let [sleeper, other] = [yield* supervisedWorker(place), yield* startSecondWorker(place)]
            let refused = 0
            for (let naps = 1; naps <= NAPS_MAX && (naps <= NAPS_MIN || refused === 0); naps++) {
              const order = yield* Effect.forkChild(merchant.order(REWARDS, 30, 60_000))
              const slept = yield* nap(place, sleeper, other, chance)
              yield* Fiber.join(order)
              refused += slept.refused
              console.log(
                `  nap ${naps} of the ${sleeper.name} worker: ${slept.sleptMs} ms, ${slept.taken} channels taken over, ${slept.refused} stale writes refused, ${slept.givenUp} steps given up by itself`,
              )
              expect(slept.taken).toBeGreaterThan(0)
              ;[sleeper, other] = [other, sleeper]
            }
            expect(refused).toBeGreaterThan(0)
            yield* awaitSettled(place, 40_000)
            const found = yield* checkInvariants(place, demo, merchant)
            console.log(`  ${found.confirmed} confirmed, ${found.failed} failed, ${found.payments} payments`)
          }),
        )
        expect((yield* stopSystem(place, launched)).ending).toBe(0)
      }),
    { timeout: 240_000 },
  )
})
