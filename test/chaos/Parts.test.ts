/** One part killed alone, under load: the supervisor starts it again, nobody else notices more than a pause. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { live } from "../support/it.ts"
import { awaitSettled, progressNow } from "./support/Books.ts"
import { announcedChance, type Chance } from "./support/Chance.ts"
import { type Part, partOf } from "./support/HomeProcesses.ts"
import { checkInvariants } from "./support/Invariants.ts"
import { type Merchant, makeMerchant } from "./support/Merchant.ts"
import {
  assertNothingLeft,
  awaitHealed,
  makePlace,
  type Place,
  readDemo,
  signalPart,
  startSystem,
  stopSystem,
  whyNot,
} from "./support/NovaSystem.ts"

const PARTS = ["localnet", "issuance-worker", "postgres", "api"] as const
const KILLS = 2

/** Enough for something to be under way at each kill. */
const REWARDS_PER_SECOND = 80

const pidOf = (place: Place, part: Part) => partOf(place.home, part)?.identity.pid

/**
 * Kills the part, waits for its next life, and answers with how long that took in ms. It goes on when all is well
 * again: what is asked afterwards needs servers that listen.
 */
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
    const tookMs = Math.round(performance.now() - killedAtMs)
    yield* awaitHealed(place)
    return { tookMs, healedMs: Math.round(performance.now() - killedAtMs) }
  })

const killUnderLoad = (place: Place, merchant: Merchant, part: Part, chance: Chance) =>
  Effect.gen(function* () {
    const others = ["launcher", "supervisor", ...PARTS].filter((name): name is Part => name !== part)
    const before = others.map((name) => pidOf(place, name))
    const work = Effect.gen(function* () {
      const lines: Array<string> = []
      for (let kill = 1; kill <= KILLS; kill++) {
        yield* Effect.sleep(chance.between(50, 1_500))
        const progress = yield* progressNow(place)
        const { healedMs, tookMs } = yield* killOnce(place, part)
        const during = `${progress?.submitted} submitted, ${progress?.pending} pending`
        lines.push(`    with ${during}: a new process after ${tookMs} ms, all ready after ${healedMs} ms`)
      }
      return lines
    })
    const lines = yield* merchant.orderDuring(REWARDS_PER_SECOND, work)
    yield* awaitSettled(place, 40_000)
    expect(others.map((name) => pidOf(place, name))).toEqual(before)
    return lines
  })

describe.skipIf(whyNot !== undefined)("kill -9 of one part", () => {
  live(
    "the supervisor heals it, everything settles, nothing is paid twice",
    () =>
      Effect.gen(function* () {
        const chance = announcedChance("one part")
        const place = yield* makePlace()
        const launched = yield* startSystem(place)
        const demo = readDemo(place)
        const merchant = makeMerchant(demo, chance)
        for (const part of PARTS) {
          const startedAtMs = performance.now()
          const lines = yield* killUnderLoad(place, merchant, part, chance)
          const found = yield* checkInvariants(place, demo, merchant)
          const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
          console.log(
            `  ${part}: ${found.confirmed} confirmed, ${found.failed} failed, ${found.payments} payments; ${seconds} s; without an answer so far: ${JSON.stringify(Object.fromEntries(merchant.misses))}`,
          )
          for (const line of lines) console.log(line)
        }
        expect((yield* stopSystem(place, launched)).ending).toBe(0)
        yield* assertNothingLeft(place)
      }),
    { timeout: 240_000 },
  )
})
