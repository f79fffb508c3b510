/**
 * `npm run proof`: the long tier of what is said about reliability. Cut short, even by kill -9, it goes on where it
 * was; its results are docs/proof.json, and docs/proof.md is rendered from them. As long as a part, seeds or planted
 * bugs are missing, both go into the state's folder instead: a trial replaces no proof.
 *
 *   --only a,b       parts: planted, seeds, kills, database, in this order (all); another process may do others of them
 *   --seeds N        seeds from 1 (5,000)
 *   --bugs a,b       planted bugs (all), at most 1,000 seeds each
 *   --seed n         what kills and database trouble are drawn from (20261121)
 *   --jobs n         processes (2)
 *   --fresh          forgets what was found before, save for a line in the history; needed after a change of the sources
 *   --report         runs nothing, renders what was found
 *   --state          a folder other than .proof
 *   --docs           where the results go, whatever is missing
 *
 * Ends with 1 where a result speaks against the claims, or a part broke off.
 */
import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { Effect } from "effect"
import { hardware } from "../bench/Hardware.ts"
import { releaseOwnership, takeOwnership } from "../layers/platform/OwnerFile.ts"
import { runMain } from "../layers/platform/Platform.ts"
import { StartupFailure } from "../layers/platform/StartupFailure.ts"
import { PLANTED_BUGS } from "../test/simulation/planted/PlantedBugs.ts"
import { readOptions } from "./arguments/ReadOptions.ts"
import { writeAll } from "./docs/Generated.ts"
import { beginAnew } from "./proof/BeginAnew.ts"
import { chaosCommand, proveChaos } from "./proof/Chaos.ts"
import { type Keeper, keepBrokeOff } from "./proof/Keeper.ts"
import { provePlanted } from "./proof/Planted.ts"
import { makeProof, type Proof } from "./proof/Proof.ts"
import { proofPage } from "./proof/ProofPage.ts"
import { proveSeeds } from "./proof/Seeds.ts"
import { digestSources, readOrigin } from "./proof/Sources.ts"
import { beginRun, mendLines, PARTS, type Part, type Run, readState } from "./proof/State.ts"
import { failuresOf, notRunOf, notShownOf, SEEDS_WHOLE, staleSentence } from "./proof/Verdict.ts"

const checkout = join(import.meta.dir, "..")

const values = readOptions(
  import.meta.path,
  {
    only: { type: "string", default: PARTS.join(",") },
    seeds: { type: "string", default: String(SEEDS_WHOLE) },
    bugs: { type: "string", default: "" },
    seed: { type: "string", default: "20261121" },
    jobs: { type: "string", default: "2" },
    fresh: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    state: { type: "string", default: join(checkout, ".proof") },
    docs: { type: "string" },
  },
  ["seeds", "seed", "jobs"],
)

const directory = resolve(values.state)
const wanted = values.only.split(",").filter(Boolean)
const bugs = values.bugs.split(",").filter(Boolean)

/** What is wrong with the arguments; undefined where nothing is. */
const wrongArgument = (): string | undefined => {
  if (wanted.length === 0) return `--only names no part, there are ${PARTS.join(", ")}`
  const part = wanted.find((name) => !PARTS.some((known) => known === name))
  if (part !== undefined) return `there is no part ${part}, only ${PARTS.join(", ")}`
  const bug = bugs.find((name) => !PLANTED_BUGS.some((known) => known.name === name))
  if (bug !== undefined) return `there is no planted bug ${bug}`
  return undefined
}

const refuse = (message: string) => Effect.fail(new StartupFailure({ message }))

/** Writes into a folder that somebody named; one that cannot be written is their matter. */
const writeTo = <A>(folder: string, write: () => A) =>
  Effect.try({
    try: write,
    catch: (error) =>
      new StartupFailure({
        message: `${folder} cannot be written: ${error instanceof Error ? error.message : error}.`,
      }),
  })

const hold = (what: string) =>
  Effect.gen(function* () {
    const file = join(directory, `owner-of-${what.replaceAll(" ", "-")}.json`)
    const holder = yield* Effect.acquireRelease(
      writeTo(directory, () => takeOwnership(file)),
      () => Effect.sync(() => releaseOwnership(file)),
    )
    if (holder !== undefined)
      yield* refuse(`another proof is at work on ${what} in ${directory}: process ${holder.pid}.`)
  })

/** One process at a time works on a part; others may work on other parts of the same state beside it. */
const holdParts = Effect.gen(function* () {
  yield* writeTo(directory, () => mkdirSync(directory, { recursive: true }))
  // Whatever begins anew needs all of them for itself.
  for (const part of values.fresh ? PARTS : PARTS.filter((name) => wanted.includes(name))) {
    yield* hold(part)
    mendLines(directory, part)
  }
})

const begin = Effect.gen(function* () {
  yield* hold("the list of runs")
  if (values.fresh) beginAnew(directory)
  const run: Run = {
    ...readOrigin(checkout),
    startedAt: new Date().toISOString(),
    jobs: Number(values.jobs),
    seeds: wanted.includes("seeds") ? Number(values.seeds) : 0,
    hardware: hardware(),
  }
  const keeper: Keeper = { directory, checkout, run, place: yield* beginRun(directory, run) }
  return keeper
})

const prove = (keeper: Keeper, part: Part) => {
  if (part === "planted") return provePlanted(keeper, bugs)
  if (part === "seeds") return proveSeeds(keeper)
  const seed = Number(values.seed)
  return proveChaos(keeper, part, seed, chaosCommand(checkout, part, seed))
}

/** Says what is missing, then what is wrong. */
const say = (proof: Proof, digestNow: string): void => {
  for (const part of notRunOf(proof)) console.log(`NOT RUN ${part}`)
  for (const gap of notShownOf(proof)) console.log(`NOT SHOWN ${gap}`)
  for (const { failures, startedAt } of proof.begunAnew) {
    for (const failure of failures) console.log(`BEFORE IT WAS BEGUN ANEW (${startedAt}) ${failure}`)
  }
  const stale = staleSentence(proof, digestNow)
  if (stale !== undefined) console.log(stale)
  for (const failure of failuresOf(proof)) console.log(`AGAINST THE CLAIMS ${failure}`)
}

/** Where the results go: what is not whole does not replace what may be. */
const placeOf = (proof: Proof): string => {
  if (values.docs !== undefined) return resolve(values.docs)
  return notRunOf(proof).length === 0 ? join(checkout, "docs") : directory
}

const report = Effect.gen(function* () {
  const state = readState(directory)
  if (state.runs.length === 0) return yield* refuse(`nothing was found yet in ${directory}.`)
  const proof = makeProof(state)
  const digestNow = digestSources(checkout)
  const place = placeOf(proof)
  const files = [
    { path: "proof.json", content: `${JSON.stringify(proof, null, 2)}\n` },
    { path: "proof.md", content: proofPage(proof, digestNow) },
  ]
  yield* writeTo(place, () => writeAll(place, files))
  say(proof, digestNow)
  const isTrial = values.docs === undefined && place === directory
  const kept = isTrial ? "; docs stays as it is, since not all of a proof was run" : ""
  console.log(`Written: proof.json and proof.md in ${place}${kept}`)
  if (failuresOf(proof).length > 0) process.exitCode = 1
})

const program = Effect.gen(function* () {
  const wrong = wrongArgument()
  if (wrong !== undefined) return yield* refuse(wrong)
  if (values.report) return yield* report
  yield* holdParts
  const keeper = yield* Effect.scoped(begin)
  for (const part of PARTS.filter((name) => wanted.includes(name))) {
    yield* Effect.scoped(prove(keeper, part)).pipe(
      Effect.catchTag("BrokeOff", (failure) => keepBrokeOff(keeper, part, failure)),
    )
  }
  yield* report
})

runMain(program, { interruptedCode: 130 })
