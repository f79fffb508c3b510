/** A load that is under way when something happens to the system, and its end after the next start. */
import { Effect, type Scope } from "effect"
import type { Started } from "../../support/Processes.ts"
import { awaitSettled, progressNow } from "./Books.ts"
import type { Chance } from "./Chance.ts"
import { checkInvariants, type Findings } from "./Invariants.ts"
import type { Merchant } from "./Merchant.ts"
import { type Place, readDemo, startSystem } from "./NovaSystem.ts"

const REWARDS_PER_SECOND = 80

export interface Disturbed<A> {
  readonly result: A
  readonly found: Findings
  /** How far the load was, for people. */
  readonly during: string
  /** The launcher of the start that followed. */
  readonly next: Started
}

/**
 * Lets the merchant order, does `disturb` (which must end with no system running) at a random moment of it, starts
 * the system again, and checks the invariants once everything has settled.
 */
export const disturbed = <A>(
  place: Place,
  merchant: Merchant,
  chance: Chance,
  disturb: Effect.Effect<A, never, Scope.Scope>,
): Effect.Effect<Disturbed<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const work = Effect.gen(function* () {
      yield* Effect.sleep(chance.between(300, 3_000))
      const before = yield* progressNow(place)
      const result = yield* disturb
      return { before, result, next: yield* startSystem(place) }
    })
    const { before, next, result } = yield* merchant.orderDuring(REWARDS_PER_SECOND, work)
    yield* awaitSettled(place, 40_000)
    const found = yield* checkInvariants(place, readDemo(place), merchant)
    return { result, found, next, during: `${before?.submitted} submitted, ${before?.pending} pending` }
  })
