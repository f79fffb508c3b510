/** The page shows what failed as failed, and what did not run as not run. */
import { expect, it } from "bun:test"
import { makeProof, type Proof } from "../../scripts/proof/Proof.ts"
import { proofPage } from "../../scripts/proof/ProofPage.ts"
import type { State } from "../../scripts/proof/State.ts"
import { failuresOf, gapsOf, notShownOf } from "../../scripts/proof/Verdict.ts"
import { digestOf } from "../simulation/SeedLines.ts"
import { sampleDatabase, sampleRun, sampleSeed, sampleState, sampleTrouble } from "./Samples.ts"

/** In a checkout of the proof's own sources. */
const pageOf = (proof: Proof): string => proofPage(proof, "aa")

/** As docs would read it. */
const proofOf = (state: State): Proof => JSON.parse(JSON.stringify(makeProof(state)))

it("says what ran, and that kills and database trouble did not", () => {
  const proof = proofOf(sampleState)
  const page = pageOf(proof)
  expect(failuresOf(proof)).toEqual([])
  expect(page).toContain("Nothing that ran speaks against the claims.")
  expect(page).toContain(
    "**Not run, or not shown:**\n\n- kills\n- database\n- 4998 of 5000 seeds\n- planted bugs new_sequence_on_not_found, ",
  )
  expect(page).toContain("| seeds, of those wanted | 2 of 2 |")
  expect(page).toContain("| simulated hours | 1.00 |")
  expect(page).toContain("| wall seconds | 60.0 |")
  expect(page).toContain("| seeds a minute | 2.0 |")
  expect(page).toContain("| rewards paid | 20 |")
  expect(page).toContain(`| digest over all traces | ${digestOf(sampleState.seeds)} |`)
  expect(page).toContain(
    "| sent_before_stored | the envelope is sent before it is stored | 3 | 4 | not run | I1: paid \\| twice |",
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
  expect(gapsOf(proofOf({ ...sampleState, seeds: [sampleSeed(2)] }))).toContain("4999 of 5000 seeds")
  const more = { ...sampleState, runs: [{ ...sampleRun("aa"), seeds: 6_000 }] }
  expect(gapsOf(proofOf(more))).toContain("5998 of 6000 seeds")
})

it("shows a failing seed with its replay", () => {
  const proof = proofOf({
    ...sampleState,
    seeds: [sampleSeed(1), sampleSeed(2, ["I1: r7 was paid twice", "I2: r7", "I3: r8"])],
  })
  const page = pageOf(proof)
  expect(failuresOf(proof)).toEqual(["seed 2: I1: r7 was paid twice, and 2 more"])
  expect(page).toContain("**Results that speak against the claims: 1**")
  expect(page).toContain("| seeds that failed | 1 |")
  expect(page).toContain("| 2 | I1: r7 was paid twice, and 2 more | `npm run simulate -- --seed 2 --trace` |")
})

it("shows a planted bug that was not caught, and a part that broke off", () => {
  const [planted] = sampleState.planted
  if (planted === undefined) throw new Error("the sample has a planted bug")
  const proof = proofOf({
    ...sampleState,
    planted: [{ ...planted, afterSeeds: undefined, seed: undefined, violation: undefined }],
    brokeOff: [{ run: 0, part: "kills", said: "left with 137" }],
  })
  const page = pageOf(proof)
  expect(failuresOf(proof)).toEqual([
    "planted bug sent_before_stored was not caught in 1000 seeds",
    "kills, run 1, did not end: left with 137",
  ])
  expect(page).toContain("| **not caught** |")
  expect(page).toContain("| caught, of those tried | 0 of 1 |")
  expect(page).toContain("- kills, run 1, did not end: left with 137")
})

it("a planted bug that a test sees is no failure where no seed sees it, but the page says so", () => {
  const [planted] = sampleState.planted
  if (planted === undefined) throw new Error("the sample has a planted bug")
  const unseen = { ...planted, afterSeeds: undefined, seed: undefined, violation: undefined }
  const proof = proofOf({ ...sampleState, planted: [{ ...unseen, seenBy: "test/Some.test.ts" }] })
  expect(failuresOf(proof)).toEqual([])
  expect(notShownOf(proof)).toContain(
    "planted bug sent_before_stored was not caught in 1000 seeds; test/Some.test.ts sees it",
  )
  const page = pageOf(proof)
  expect(page).toContain("| not in 1000; test/Some.test.ts fails with it |")
  expect(page).toContain("| caught, of those tried | 0 of 1 |")
})

it("says that sources differed from the commit", () => {
  expect(pageOf(makeProof({ ...sampleState, runs: [{ ...sampleRun("aa"), isDirty: true }] }))).toContain(
    "c0ffee, with changes that were not committed",
  )
})

it("a bug whose seed fails without it too was not caught", () => {
  const controlled = (violations: ReadonlyArray<string>) =>
    proofOf({ ...sampleState, seeds: [sampleSeed(4, violations)] })
  const held = controlled([])
  expect(failuresOf(held)).toEqual([])
  expect(pageOf(held)).toContain("| 3 | 4 | no violation | I1: paid")
  const failing = controlled(["I3: r8"])
  expect(failuresOf(failing)).toContain(
    "planted bug sent_before_stored was not caught: seed 4 fails without it too",
  )
  expect(pageOf(failing)).toContain("| 3 | 4 | **violation too** | I1: paid")
  expect(pageOf(failing)).toContain("| caught, of those tried | 0 of 1 |")
})

it("keeps the limits that were measured against", () => {
  const [planted] = sampleState.planted
  if (planted === undefined) throw new Error("the sample has a planted bug")
  expect(proofOf(sampleState).planted?.bugs[0]?.seedsMax).toBe(1_000)
  const proof = proofOf({ ...sampleState, planted: [{ ...planted, seedsMax: 50 }] })
  expect(pageOf(proof)).toContain("| seeds for each, at most | 50 |")
})

it("a throughput that the machine hides is not shown, one that was not measured is a failure", () => {
  const proof = proofOf({
    ...sampleState,
    database: sampleDatabase(sampleTrouble([90, 90, 96]), {
      ...sampleTrouble([100, Number.NaN, 100]),
      name: "locked",
    }),
  })
  expect(gapsOf(proof)).toContain(
    'database: whether as much is ended after "restarted", which the machine hides',
  )
  expect(failuresOf(proof)).toEqual(['database: what was ended around "locked" was not measured'])
  expect(pageOf(proof)).toContain(
    "| locked | ended | 100, 100, 100 | 100, not measured, 100 | not measured | **not measured** |",
  )
})

it("says that the sources have changed since", () => {
  const proof = proofOf(sampleState)
  expect(pageOf(proof)).not.toContain("have changed")
  expect(proofPage(proof, "0123456789abcdef")).toContain(
    "The sources have changed since this was run; run it again",
  )
})

it("shows what was there before it was begun anew on the same sources", () => {
  const before = { digest: "aa", commit: "c0ffee", startedAt: "2026-11-20", seeds: 9, planted: [], kills: 7 }
  const proof = proofOf({
    ...sampleState,
    history: [
      { ...before, failures: ["seed 3: I1"] },
      { ...before, digest: "bb", failures: ["seed 4: I1"] },
    ],
  })
  const page = pageOf(proof)
  expect(page).toContain("since it was last begun anew speaks against the claims; before,")
  expect(page).toContain("**Begun anew on the same sources: 1 times.**")
  expect(page).toContain(
    "| 2026-11-20 | c0ffee | 9 seeds, 0 planted bugs, kills of seed 7 | **seed 3: I1** |",
  )
  expect(page).not.toContain("seed 4: I1")
})

it("does not say that it ran the tests", () => {
  expect(pageOf(proofOf(sampleState))).toContain("This proof did not run them: they run with `npm test`")
})
