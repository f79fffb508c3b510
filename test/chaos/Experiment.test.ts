/** The experiment of `bun run chaos` in small: each part killed, a sleeping worker, an orderly stop, several merchants. */
import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { live } from "../support/it.ts"
import { runKills } from "./experiment/Kills.ts"
import { announcedChance } from "./support/Chance.ts"
import { whyNot } from "./support/NovaSystem.ts"

const ISSUANCES = 400
const KILLS = 8

describe.skipIf(whyNot !== undefined)("issuing while everything is killed", () => {
  live(
    "every invariant holds, and nova reconcile finds no difference",
    () =>
      Effect.gen(function* () {
        const { seed } = announcedChance("experiment")
        const figures = yield* runKills({
          seed,
          issuances: ISSUANCES,
          kills: KILLS,
          merchants: 3,
          leaseMs: 3_000,
          onStrike: () => {},
        })
        console.log(`  ${JSON.stringify(figures)}`)
        expect(figures.violations).toEqual([])
        expect(figures.issuances).toBe(ISSUANCES)
        expect(figures.kills).toBe(KILLS)
        expect(figures.reconciled).toBe(0)
        expect(figures.payments).toBe(figures.confirmed)
        expect(figures.duplicates).toBeGreaterThanOrEqual(ISSUANCES / 10)
      }),
    { timeout: 180_000 },
  )
})
