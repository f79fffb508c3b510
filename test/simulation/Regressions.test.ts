/**
 * Seeds that have found something in the programs: they must not find it again. What a seed draws changes with the
 * simulation itself, so each finding has a test of its own besides, which its entry in scripts/proof/Found.ts names.
 */
import { expect } from "bun:test"
import { Effect } from "effect"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { sessions, TIMEOUT_MS } from "./Sessions.ts"
import { simulate } from "./Simulate.ts"

const { live } = withLayer(TestDatabase.layerAddress)

const SEEDS = [
  [64, "the signer refused a fee bump over what a worker with a faster clock had signed"],
  [15, "a lagging node's word ended rewards of customers who could be paid"],
  [21, "a wallet that wants a memo was paid without one, unseen"],
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
