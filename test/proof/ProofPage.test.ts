/** The page shows what failed as failed, and what did not run as not run. */
import { expect, it } from "bun:test"
import { failuresOf, gapsOf, makeProof, type Proof } from "../../scripts/proof/Proof.ts"
import { proofPage } from "../../scripts/proof/ProofPage.ts"
import type { State } from "../../scripts/proof/State.ts"
import { digestOf } from "../simulation/SeedLines.ts"
import { sampleRun, sampleSeed, sampleState } from "./Samples.ts"

/** As docs would read it. */
const proofOf = (state: State): Proof => JSON.parse(JSON.stringify(makeProof(state)))

it("says what ran, and that kills and database trouble did not", () => {
  const proof = proofOf(sampleState)
  const page = proofPage(proof)
  expect(failuresOf(proof)).toEqual([])
  expect(page).toContain("Nothing that ran speaks against the claims.")
  expect(page).toContain("**Not run:**\n\n- kills\n- database\n- planted bugs new_sequence_on_not_found, ")
  expect(page).toContain("| seeds, of those wanted | 2 of 2 |")
  expect(page).toContain("| simulated hours | 1.00 |")
  expect(page).toContain("| wall seconds | 60.0 |")
  expect(page).toContain("| seeds a minute | 2.0 |")
  expect(page).toContain("| rewards paid | 20 |")
  expect(page).toContain(`| digest over all traces | ${digestOf(sampleState.seeds)} |`)
  expect(page).toContain(
    "| sent_before_stored | the envelope is sent before it is stored | 3 | 4 | I1: paid \\| twice |",
  )
  expect(page).toContain("## What is not covered")
})

it("adds up the seconds of several runs", () => {
  const proof = proofOf({
    ...sampleState,
    runs: [sampleRun("aa"), sampleRun("aa")],
    seeds: [sampleSeed(1), { ...sampleSeed(2), run: 1 }],
  })
  expect(proof.seeds?.wallSeconds).toBe(90)
  expect(proof.seeds?.runs).toEqual([0, 1])
})

it("says how many seeds are still to be run", () => {
  expect(gapsOf(proofOf({ ...sampleState, seeds: [sampleSeed(2)] }))).toContain("1 of 2 seeds")
})

it("shows a failing seed with its replay", () => {
  const proof = proofOf({
    ...sampleState,
    seeds: [sampleSeed(1), sampleSeed(2, ["I1: r7 was paid twice", "I2: r7", "I3: r8"])],
  })
  const page = proofPage(proof)
  expect(failuresOf(proof)).toEqual(["seed 2: I1: r7 was paid twice, and 2 more"])
  expect(page).toContain("**Results that speak against the claims: 1**")
  expect(page).toContain("| seeds that failed | 1 |")
  expect(page).toContain("| 2 | I1: r7 was paid twice, and 2 more | `bun run simulate --seed 2 --trace` |")
})

it("shows a planted bug that was not caught, and a part that broke off", () => {
  const [planted] = sampleState.planted
  if (planted === undefined) throw new Error("the sample has a planted bug")
  const proof = proofOf({
    ...sampleState,
    planted: [{ ...planted, afterSeeds: undefined, seed: undefined, violation: undefined }],
    brokeOff: [{ run: 0, part: "kills", said: "left with 137" }],
  })
  const page = proofPage(proof)
  expect(failuresOf(proof)).toEqual(["planted bug sent_before_stored was not caught in 1000 seeds"])
  expect(page).toContain("| **not caught** |")
  expect(page).toContain("| caught, of those tried | 0 of 1 |")
  expect(page).toContain("- kills, run 1: left with 137")
})

it("says that sources differed from the commit", () => {
  expect(proofPage(makeProof({ ...sampleState, runs: [{ ...sampleRun("aa"), isDirty: true }] }))).toContain(
    "c0ffee, with changes that were not committed",
  )
})
