/**
 * What the simulation has found in the programs, it must not find again. What a seed draws changes with the simulation
 * itself: these are the seeds that see each finding now, once its mend is taken away (planted/PlantedBugs.ts). Each
 * finding has a test of its own besides, which its entry in scripts/proof/Found.ts names.
 */
import { expect } from "bun:test"
import { Effect } from "effect"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { sessions, TIMEOUT_MS } from "./Sessions.ts"
import { simulate } from "./Simulate.ts"

const { live } = withLayer(TestDatabase.layerAddress)

const SEEDS = [
  [84, "the signer refused a fee bump over what a worker with a faster clock had signed"],
  [2, "a lagging node's word ended rewards of customers who could be paid"],
  [32, "a wallet that wants a memo was paid without one, unseen"],
] as const

for (const [seed, finding] of SEEDS) {
  live(
    `seed ${seed}: ${finding}`,
    () =>
      Effect.gen(function* () {
        const real = yield* sessions
        const { violations } = yield* Effect.promise(() => simulate(seed, real))
        expect(violations).toEqual([])
      }),
    { timeout: TIMEOUT_MS },
  )
}
