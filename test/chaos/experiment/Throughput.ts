/** What the system does in a second, before a trouble with its database and ten seconds after it. */
import { Effect, type Scope } from "effect"
import { awaitSettled, progressNow } from "../support/Books.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { type Part, partOf } from "../support/HomeProcesses.ts"
import { findViolations, type Shop } from "../support/Invariants.ts"
import { type Merchant, makeMerchant } from "../support/Merchant.ts"
import {
  awaitHealed,
  makePlace,
  type Place,
  readDemo,
  startSystem,
  stopSystem,
} from "../support/NovaSystem.ts"
import { askForShop, type OneKeyFigures } from "./OneKey.ts"
import {
  backendsKilled,
  connectionsExhausted,
  restarted,
  type Trouble,
  transactionLeftOpen,
} from "./Trouble.ts"

/** Rewards a second: how many were accepted, and how many ended. */
export interface Rate {
  readonly accepted: number
  readonly ended: number
}

export interface TroubleFigures {
  readonly name: string
  /** Several measurements of the same: how far apart they are is what the machine makes of it alone. */
  readonly before: ReadonlyArray<Rate>
  readonly after: ReadonlyArray<Rate>
}

export interface DatabaseFigures {
  readonly troubles: ReadonlyArray<TroubleFigures>
  readonly oneKey: OneKeyFigures
  readonly violations: ReadonlyArray<string>
}

const WINDOW_MS = 8_000
const RECOVERY_MS = 10_000
const SETTLED_MS_MAX = 60_000

/** Measurements before a trouble, and as many after it. */
const MEASUREMENTS = 3

/** What 32 requests at once achieve. */
const UNLIMITED = 1_000_000

/** While the trouble lasts. */
const GENTLY = 40

/** The programs that must live through all of it. */
const SURVIVORS: ReadonlyArray<Part> = ["launcher", "supervisor", "localnet", "api", "issuance-worker"]

/** Their process ids, in one line. */
export const survivorsOf = (place: Place): string =>
  SURVIVORS.map((part) => `${part} ${partOf(place.home, part)?.identity.pid}`).join(", ")

/** One trouble under load: answers with what is wrong afterwards. Nothing but PostgreSQL may have ended. */
export const liveThrough = (
  place: Place,
  merchant: Merchant,
  chance: Chance,
  trouble: Trouble,
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const before = survivorsOf(place)
    yield* merchant.orderDuring(
      GENTLY,
      Effect.scoped(Effect.andThen(Effect.sleep(500), trouble.strike(place, chance))).pipe(Effect.orDie),
    )
    yield* awaitHealed(place)
    const after = survivorsOf(place)
    return before === after ? [] : [`${trouble.name}: processes ended: ${before} became ${after}`]
  })

const endedNow = (place: Place) => Effect.map(progressNow(place), (progress) => progress?.ended ?? Number.NaN)

const measure = (place: Place, merchant: Merchant) =>
  Effect.gen(function* () {
    yield* awaitSettled(place, SETTLED_MS_MAX)
    const window = Effect.gen(function* () {
      const acceptedBefore = merchant.answered.size
      const endedBefore = yield* endedNow(place)
      const startedAtMs = performance.now()
      yield* Effect.sleep(WINDOW_MS)
      const ended = (yield* endedNow(place)) - endedBefore
      const seconds = (performance.now() - startedAtMs) / 1000
      const rate: Rate = {
        accepted: Math.round((merchant.answered.size - acceptedBefore) / seconds),
        ended: Math.round(ended / seconds),
      }
      return rate
    })
    // The first seconds fill what the ledgers take.
    return yield* merchant.orderDuring(UNLIMITED, Effect.andThen(Effect.sleep(2_000), window))
  })

export interface DatabasePlan {
  readonly seed: number
  /** Keys that a hundred requests at once are sent with. */
  readonly keys: number
  /** How long a transaction is left open, in ms. */
  readonly openMs: number
  /** Told what is done now. */
  readonly say: (what: string) => void
}

const REQUESTS_AT_ONCE = 100

/** Each trouble, with the rates around it, and the keys; on a system of its own, which is gone afterwards. */
export const runDatabase = (plan: DatabasePlan): Effect.Effect<DatabaseFigures, never, Scope.Scope> =>
  Effect.gen(function* () {
    const chance = makeChance(plan.seed)
    const place = yield* makePlace()
    const launched = yield* startSystem(place)
    const demo = readDemo(place)
    const shop: Shop = { demo, merchant: makeMerchant(demo, chance) }
    const violations: Array<string> = []
    const troubles: Array<TroubleFigures> = []
    for (const trouble of [
      restarted,
      backendsKilled(10_000),
      transactionLeftOpen(plan.openMs),
      connectionsExhausted(10_000),
    ]) {
      plan.say(trouble.name)
      const rates = Effect.replicateEffect(measure(place, shop.merchant), MEASUREMENTS)
      const before = yield* rates
      violations.push(...(yield* liveThrough(place, shop.merchant, chance, trouble)))
      yield* Effect.sleep(RECOVERY_MS)
      troubles.push({ name: trouble.name, before, after: yield* rates })
    }
    yield* awaitSettled(place, SETTLED_MS_MAX)
    plan.say("one key, a hundred requests at once")
    const asked = yield* askForShop(place, shop, plan.keys, REQUESTS_AT_ONCE)
    violations.push(...asked.figures.violations)
    yield* awaitSettled(place, SETTLED_MS_MAX)
    // After everything that was ordered, the rewards of one key too.
    plan.say("every payment compared")
    violations.push(...(yield* findViolations(place, [asked.shop])).violations)
    const { ending } = yield* stopSystem(place, launched)
    if (ending !== 0) violations.push(`the last stop ended with ${ending}`)
    return { troubles, oneKey: asked.figures, violations }
  })
