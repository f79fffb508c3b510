/** The rewards of keys that many requests were sent with are held against the ledger like all others. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { live } from "../../support/it.ts"
import { awaitSettled } from "../support/Books.ts"
import { announcedChance } from "../support/Chance.ts"
import { findViolations, type Shop } from "../support/Invariants.ts"
import { makeMerchant } from "../support/Merchant.ts"
import { makePlace, readDemo, startSystem, stopSystem, whyNot } from "../support/NovaSystem.ts"
import { askForShop } from "./OneKey.ts"

const REWARDS = 20
const KEYS = 4

const askAndCompare = Effect.gen(function* () {
  const place = yield* makePlace()
  const launched = yield* startSystem(place)
  const demo = readDemo(place)
  const before: Shop = { demo, merchant: makeMerchant(demo, announcedChance("one key")) }
  yield* before.merchant.order(REWARDS, 2, 30_000)
  const { figures, shop } = yield* askForShop(place, before, KEYS, 10)
  expect(figures.violations).toEqual([])
  yield* awaitSettled(place, 40_000)
  const found = yield* findViolations(place, [shop])
  expect([found.violations, found.issuances]).toEqual([[], REWARDS + KEYS])
  const withoutThem = yield* findViolations(place, [before])
  expect(withoutThem.violations).toContain(`ordered and ended: ${KEYS} differ`)
  expect((yield* stopSystem(place, launched)).ending).toBe(0)
})

describe.skipIf(whyNot !== undefined)("one key, many requests at once", () => {
  live("the ledger is asked about them too", () => askAndCompare, { timeout: 120_000 })
})
