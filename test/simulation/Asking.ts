/** Requests to the APIs, and what an answer says. */
import { Cause, Effect, Exit } from "effect"
import type { Campaigns } from "../../src/campaign/Campaigns.ts"
import type { Issuances } from "../../src/issuance/Issuances.ts"
import type { Chance } from "./Chance.ts"
import { APIS } from "./DrawFaults.ts"
import type { Programs } from "./Programs.ts"
import type { World } from "./World.ts"

/** Asks one of the APIs; undefined where it gave no answer. */
export type Ask = <A, E>(
  effect: Effect.Effect<A, E, Issuances | Campaigns>,
  answered: (exit: Exit.Exit<A, E> | undefined) => void,
) => void

export const makeAsk =
  (world: World, programs: Programs, chance: Chance): Ask =>
  (effect, answered) => {
    const api = programs.api(chance.pick(APIS))
    if (api === undefined) {
      world.after(50, () => answered(undefined))
      return
    }
    let isOpen = true
    const close = (exit: Parameters<typeof answered>[0]): void => {
      if (!isOpen) return
      isOpen = false
      world.after(chance.below(20), () => answered(exit))
    }
    api.process.onEnd(() => close(undefined))
    const fiber = Effect.runForkWith(api.services)(effect)
    fiber.addObserver(close)
    // As the HTTP edge does it: a request that lasts too long is given up.
    world.after(chance.between(5_000, 30_000), () => {
      if (!isOpen) return
      close(undefined)
      if (api.process.isAlive() && api.process.frozenUntilMs() <= world.sinceBegin()) fiber.interruptUnsafe()
      api.process.fibers.drain()
    })
    api.process.fibers.drain()
  }

/** What the program said: its success, the name of its refusal, or undefined where it failed. */
export const answerOf = <A, E>(
  exit: Exit.Exit<A, E> | undefined,
): { readonly success: A } | { readonly refusal: string } | undefined => {
  if (exit === undefined) return undefined
  if (Exit.isSuccess(exit)) return { success: exit.value }
  const [reason] = exit.cause.reasons
  if (reason === undefined || !Cause.isFailReason(reason)) return undefined
  const error: unknown = reason.error
  return typeof error === "object" && error !== null && "_tag" in error
    ? { refusal: String(error._tag) }
    : undefined
}
