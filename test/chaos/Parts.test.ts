/** One part killed alone, under load: the supervisor starts it again, nobody else notices more than a pause. */
import { describe, expect } from "bun:test"
import { Effect, Fiber } from "effect"
import { live } from "../support/it.ts"
import { awaitSettled } from "./support/Books.ts"
import { announcedChance, type Chance } from "./support/Chance.ts"
import { type Part, partOf } from "./support/HomeProcesses.ts"
import { checkInvariants } from "./support/Invariants.ts"
import { type Merchant, makeMerchant } from "./support/Merchant.ts"
import {
  assertNothingLeft,
  makePlace,
  type Place,
  readDemo,
  signalPart,
  startSystem,
  stopSystem,
  whyNot,
} from "./support/NovaSystem.ts"

const PARTS = ["localnet", "issuance-worker", "postgres", "api"] as const
const KILLS = 3
const REWARDS = 500
const REPEATS = 50

/** A dead worker's channels are free again after this long. */
const LEASE = { ISSUANCE_LEASE_MS: "3000" }

const pidOf = (place: Place, part: Part) => partOf(place.home, part)?.identity.pid

/** Kills the part, waits for its next life, and answers with how long that took in ms. */
const killOnce = (place: Place, part: Part) =>
  Effect.gen(function* () {
    const victim = signalPart(place, part, "SIGKILL")
    expect(victim).toBeDefined()
    const killedAtMs = performance.now()
    while ([undefined, victim].includes(pidOf(place, part))) {
      if (performance.now() - killedAtMs > 20_000)
        return yield* Effect.die(new Error(`${part} was not started again`))
      yield* Effect.sleep(25)
    }
    return performance.now() - killedAtMs
  })

const killUnderLoad = (place: Place, merchant: Merchant, part: Part, chance: Chance) =>
  Effect.gen(function* () {
    const others = ["launcher", "supervisor", ...PARTS].filter((name): name is Part => name !== part)
    const before = others.map((name) => pidOf(place, name))
    const order = yield* Effect.forkChild(merchant.order(REWARDS, REPEATS, 120_000))
    const tookMs: Array<number> = []
    for (let kill = 1; kill <= KILLS; kill++) {
      yield* Effect.sleep(chance.between(50, 1_500))
      tookMs.push(Math.round(yield* killOnce(place, part)))
    }
    yield* Fiber.join(order)
    yield* awaitSettled(place, 40_000)
    expect(others.map((name) => pidOf(place, name))).toEqual(before)
    return tookMs
  })

describe.skipIf(whyNot !== undefined)("kill -9 of one part", () => {
  live(
    "the supervisor heals it, everything settles, nothing is paid twice",
    () =>
      Effect.gen(function* () {
        const chance = announcedChance("one part")
        const place = yield* makePlace(LEASE)
        const launched = yield* startSystem(place)
        const demo = readDemo(place)
        const merchant = makeMerchant(demo, chance)
        for (const part of PARTS) {
          const startedAtMs = performance.now()
          const tookMs = yield* killUnderLoad(place, merchant, part, chance)
          const found = yield* checkInvariants(place, demo, merchant)
          const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
          console.log(
            `  ${part}: new processes after ${tookMs.join(", ")} ms; ${found.confirmed} confirmed, ${found.failed} failed, ${found.payments} payments; ${seconds} s; without an answer so far: ${JSON.stringify(Object.fromEntries(merchant.misses))}`,
          )
        }
        expect((yield* stopSystem(place, launched)).ending).toBe(0)
        yield* assertNothingLeft(place)
      }),
    { timeout: 240_000 },
  )
})
