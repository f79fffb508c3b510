/** kill -9 of everything at once, again and again on one home: what was accepted is paid, and nothing twice. */
import { describe, expect } from "bun:test"
import { Effect, Fiber } from "effect"
import { live } from "../support/it.ts"
import { awaitSettled, progressNow } from "./support/Books.ts"
import { announcedChance, type Chance } from "./support/Chance.ts"
import { checkInvariants } from "./support/Invariants.ts"
import { awaitNextLedger } from "./support/LedgerView.ts"
import { type Merchant, makeMerchant } from "./support/Merchant.ts"
import {
  awaitReady,
  killTree,
  launch,
  makePlace,
  type Place,
  readDemo,
  startSystem,
  whyNot,
} from "./support/NovaSystem.ts"

const KILLS = 6
const REWARDS = 800
const REPEATS = 80

/** The share of kills that wait for a ledger. */
const KILLED_AT_LEDGER = 1 / 2

/** One of three orders a start to be killed too, somewhere in its first two seconds. */
const STARTS_KILLED = 1 / 3

/**
 * Waits for the moment to kill: when a chosen part of the order's way is done, answers and endings counted alike. Then
 * either up to a quarter of a second more, in which the worker may be anywhere, or until the next ledger has closed,
 * when payments are on the ledger that the worker has not seen yet.
 */
const awaitMoment = (place: Place, merchant: Merchant, chance: Chance, endedBefore: number) =>
  Effect.gen(function* () {
    const steps = chance.between(0, 2 * REWARDS - 1)
    const answeredBefore = merchant.answered.size
    while (true) {
      const answers = merchant.answered.size - answeredBefore
      const endings = ((yield* progressNow(place))?.ended ?? endedBefore) - endedBefore
      if (answers + endings >= steps) break
      yield* Effect.sleep(20)
    }
    const atLedger = chance.next() < KILLED_AT_LEDGER
    if (atLedger) yield* awaitNextLedger(readDemo(place))
    yield* Effect.sleep(chance.between(0, atLedger ? 100 : 250))
    return `${steps} of ${2 * REWARDS}${atLedger ? ", just after a ledger" : ""}`
  })

const round = (place: Place, merchant: Merchant, chance: Chance, number: number) =>
  Effect.gen(function* () {
    const startedAtMs = performance.now()
    const demo = readDemo(place)
    const endedBefore = (yield* progressNow(place))?.ended ?? 0
    const order = yield* Effect.forkChild(merchant.order(REWARDS, REPEATS, 120_000))
    const moment = yield* awaitMoment(place, merchant, chance, endedBefore)
    const before = yield* progressNow(place)
    const processes = yield* killTree(place)
    const startIsKilled = chance.next() < STARTS_KILLED
    if (startIsKilled) {
      yield* launch(place)
      yield* Effect.sleep(chance.between(0, 2_000))
      yield* killTree(place)
    }
    const readyMs = yield* Effect.flatMap(launch(place), (launched) => awaitReady(place, launched))
    yield* Fiber.join(order)
    yield* awaitSettled(place, 40_000)
    const found = yield* checkInvariants(place, demo, merchant)
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
    console.log(
      `  kill ${number}: at step ${moment} (${before?.submitted} submitted, ${before?.pending} pending), ${processes} processes, ready again after ${(readyMs / 1000).toFixed(1)} s${startIsKilled ? " and a killed start" : ""}; ${found.confirmed} confirmed, ${found.failed} failed, ${found.payments} payments in ${found.transactions} transactions; ${seconds} s`,
    )
    return found
  })

describe.skipIf(whyNot !== undefined)("kill -9 of the whole tree", () => {
  live(
    "six times under the demo's load: the rest is paid, nothing twice",
    () =>
      Effect.gen(function* () {
        const chance = announcedChance("whole tree")
        const place = yield* makePlace()
        yield* startSystem(place)
        const merchant = makeMerchant(readDemo(place), chance)
        for (let number = 1; number <= KILLS; number++) {
          const found = yield* round(place, merchant, chance, number)
          expect(found.issuances).toBe(number * REWARDS)
        }
        expect(merchant.duplicates()).toBeGreaterThanOrEqual(KILLS * REPEATS)
        console.log(`  requests without an answer: ${JSON.stringify(Object.fromEntries(merchant.misses))}`)
      }),
    { timeout: 600_000 },
  )
})
