/** Trouble with the database under a load: no program ends, everything settles, and nothing is paid twice. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { live } from "../support/it.ts"
import { askAtOnce } from "./experiment/OneKey.ts"
import { liveThrough } from "./experiment/Throughput.ts"
import { backendsKilled, connectionsExhausted, restarted, transactionLeftOpen } from "./experiment/Trouble.ts"
import { awaitSettled } from "./support/Books.ts"
import { announcedChance } from "./support/Chance.ts"
import { checkInvariants } from "./support/Invariants.ts"
import { makeMerchant } from "./support/Merchant.ts"
import { makePlace, readDemo, startSystem, stopSystem, whyNot } from "./support/NovaSystem.ts"

/** A pool of two is exhausted by any load: whoever holds a connection must not wait for another one. */
const POOL = { DB_POOL_MAX: "2" }

/** Longer than a program's statement may take (15 s), let alone wait for a lock (5 s). */
const OPEN_MS = 16_000

const TROUBLES = [backendsKilled(4_000), restarted, transactionLeftOpen(OPEN_MS), connectionsExhausted(4_000)]

const KEYS = 30
const REQUESTS_AT_ONCE = 100

const throughTroubles = Effect.gen(function* () {
  const chance = announcedChance("database")
  const place = yield* makePlace(POOL)
  const launched = yield* startSystem(place)
  const demo = readDemo(place)
  const merchant = makeMerchant(demo, chance)
  for (const trouble of TROUBLES) {
    const startedAtMs = performance.now()
    expect(yield* liveThrough(place, merchant, chance, trouble)).toEqual([])
    yield* awaitSettled(place, 40_000)
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
    const misses = JSON.stringify(Object.fromEntries(merchant.misses))
    console.log(`  ${trouble.name}: ${seconds} s; without an answer so far: ${misses}`)
  }
  const found = yield* checkInvariants(place, demo, merchant)
  console.log(`  ${found.confirmed} confirmed, ${found.failed} failed, ${found.payments} payments`)
  const figures = yield* askAtOnce(place, demo, KEYS, REQUESTS_AT_ONCE)
  expect(figures).toEqual({ keys: KEYS, requests: KEYS * REQUESTS_AT_ONCE, rows: KEYS, violations: [] })
  expect((yield* stopSystem(place, launched)).ending).toBe(0)
})

describe.skipIf(whyNot !== undefined)("a database in trouble", () => {
  live(
    "sessions ended, a restart, a lock for long, no connection left, a hundred requests with one key",
    () => throughTroubles,
    { timeout: 240_000 },
  )
})
