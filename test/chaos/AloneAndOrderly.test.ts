/** The supervisor or the launcher killed alone, and orderly stops under load: nothing stays, the next start goes on. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { live } from "../support/it.ts"
import type { Started } from "../support/Processes.ts"
import { announcedChance } from "./support/Chance.ts"
import { makeMerchant } from "./support/Merchant.ts"
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
import { disturbed } from "./support/Unfinished.ts"

/** What is orphaned is told by the kernel or polls its parent, and then stops in an orderly way. Milliseconds. */
const ORPHANS_END_MS = 30_000

/** Starts, disturbs the load as each of the ways says, and stops at last. */
const scenario = (
  name: string,
  ways: ReadonlyArray<readonly [string, (place: Place, launched: Started) => Effect.Effect<unknown>]>,
) =>
  Effect.gen(function* () {
    const chance = announcedChance(name)
    const place = yield* makePlace()
    let launched = yield* startSystem(place)
    const merchant = makeMerchant(readDemo(place), chance)
    for (const [way, disturb] of ways) {
      const startedAtMs = performance.now()
      const { during, found, next, result } = yield* disturbed(
        place,
        merchant,
        chance,
        disturb(place, launched),
      )
      launched = next
      console.log(
        `  ${way} (${during}): ${result}; ${found.confirmed} confirmed, ${found.failed} failed, ${found.payments} payments; ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`,
      )
    }
    expect((yield* stopSystem(place, launched)).ending).toBe(0)
  })

const killAlone = (part: "supervisor" | "launcher") => (place: Place, launched: Started) =>
  Effect.gen(function* () {
    const killedAtMs = performance.now()
    expect(signalPart(place, part, "SIGKILL")).toBeDefined()
    yield* assertNothingLeft(place, ORPHANS_END_MS)
    const tookMs = Math.round(performance.now() - killedAtMs)
    return `all gone after ${tookMs} ms, the launcher ended with ${yield* launched.ended}`
  })

const stop = (name: "SIGTERM" | "SIGINT") => (place: Place, launched: Started) =>
  Effect.gen(function* () {
    const { ending, tookMs } = yield* stopSystem(place, launched, name)
    expect(ending).toBe(0)
    expect(tookMs).toBeLessThan(30_000)
    return `code 0 after ${Math.round(tookMs)} ms`
  })

/** A terminal sends SIGINT to the whole process group: the launcher and the supervisor, which then gets it twice. */
const ctrlC = (place: Place, launched: Started) =>
  Effect.gen(function* () {
    const startedAtMs = performance.now()
    process.kill(-launched.pid, "SIGINT")
    expect(yield* launched.ended).toBe(0)
    yield* assertNothingLeft(place)
    return `code 0 after ${Math.round(performance.now() - startedAtMs)} ms`
  })

describe.skipIf(whyNot !== undefined)("a system that loses its head, or is told to stop", () => {
  live(
    "by kill -9 of the supervisor or the launcher alone, by SIGTERM, SIGINT, Ctrl-C: nothing stays, the next start pays the rest",
    () =>
      scenario("alone and orderly", [
        ["kill -9 of the supervisor", killAlone("supervisor")],
        ["SIGTERM", stop("SIGTERM")],
        ["kill -9 of the launcher", killAlone("launcher")],
        ["SIGINT", stop("SIGINT")],
        ["Ctrl-C", ctrlC],
      ]),
    { timeout: 300_000 },
  )
})
