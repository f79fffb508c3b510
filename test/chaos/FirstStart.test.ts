/** kill -9 in the middle of the very first start, again and again: the one that is left alone comes up as if new. */
import { describe, expect } from "bun:test"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { live } from "../support/it.ts"
import {
  bunAsOrdinaryUser,
  isRoot,
  makeOwnFolder,
  whyNot as whyNoOrdinaryUser,
} from "../support/OrdinaryUser.ts"
import { checkout } from "../support/Processes.ts"
import { awaitSettled } from "./support/Books.ts"
import { announcedChance, type Chance } from "./support/Chance.ts"
import { processesOf } from "./support/HomeProcesses.ts"
import { checkInvariants } from "./support/Invariants.ts"
import { makeMerchant } from "./support/Merchant.ts"
import {
  killTree,
  launch,
  makePlace,
  type Place,
  readDemo,
  startSystem,
  stopSystem,
  whyNot,
} from "./support/NovaSystem.ts"

const KILLS = 6
const REWARDS = 60

/** A first start takes 4 to 6 seconds where nothing else runs: initdb, migrations, accounts, a campaign, channels. */
const KILLED_WITHIN_MS = 5_000

const order = (place: Place, chance: Chance) =>
  Effect.gen(function* () {
    const demo = readDemo(place)
    const merchant = makeMerchant(demo, chance)
    yield* merchant.order(REWARDS, 6, 30_000)
    yield* awaitSettled(place, 40_000)
    return yield* checkInvariants(place, demo, merchant)
  })

const killedFirstStarts = Effect.gen(function* () {
  const chance = announcedChance("first start")
  const place = yield* makePlace()
  // One in each part of the way, the early parts first: what an earlier start finished is not done again.
  for (let kill = 0; kill < KILLS; kill++) {
    yield* launch(place)
    const part = KILLED_WITHIN_MS / KILLS
    const afterMs = chance.between(Math.floor(kill * part), Math.floor((kill + 1) * part))
    yield* Effect.sleep(afterMs)
    console.log(`  killed after ${afterMs} ms: ${yield* killTree(place)} processes`)
  }
  const launched = yield* startSystem(place)
  const found = yield* order(place, chance)
  expect(found.confirmed).toBe((REWARDS / 3) * 2)
  expect((yield* stopSystem(place, launched)).ending).toBe(0)
})

/** The whole system as an ordinary user, from a test that runs as root. */
const asOrdinaryUser = Effect.gen(function* () {
  const chance = announcedChance("ordinary user")
  const made = yield* makePlace()
  const folder = dirname(made.home)
  const place = {
    ...made,
    command: bunAsOrdinaryUser(folder, join(checkout, "src", "main.ts"), ["all"]),
    environment: { ...made.environment, HOME: makeOwnFolder(join(folder, "user")) },
  }
  makeOwnFolder(place.home)
  yield* startSystem(place)
  yield* order(place, chance)
  expect(yield* killTree(place)).toBeGreaterThan(4)
  const again = yield* startSystem(place)
  expect(processesOf(place.home).length).toBeGreaterThan(4)
  expect((yield* stopSystem(place, again)).ending).toBe(0)
})

describe.skipIf(whyNot !== undefined)("a first start", () => {
  live("killed on its way, six times: the next one is complete", () => killedFirstStarts, {
    timeout: 180_000,
  })

  const cannotSwitch = isRoot ? whyNoOrdinaryUser : "the other tests run as an ordinary user already"
  if (cannotSwitch !== undefined) console.log(`skipped: ${cannotSwitch}`)
  describe.skipIf(cannotSwitch !== undefined)("as an ordinary user", () => {
    live("starts, pays, is killed, and starts again", () => asOrdinaryUser, { timeout: 120_000 })
  })
})
