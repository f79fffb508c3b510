/** After how many seeds each planted bug is caught: a table, and the same as one line of JSON. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { makeProgressBar } from "../../../src/demo/ProgressBar.ts"
import { replayOf } from "../SeedLines.ts"
import { runShards } from "../Shards.ts"
import { CHECKOUT, patched } from "./Plant.ts"
import { PLANTED_BUGS, type PlantedBug } from "./PlantedBugs.ts"

export interface Caught {
  readonly name: string
  /** Seeds that were run until one failed; undefined where none did. */
  readonly afterSeeds: number | undefined
  readonly seed: number | undefined
  readonly violation: string | undefined
}

interface PlantedOptions {
  readonly socketDir: string
  /** All where it is empty. */
  readonly names: ReadonlyArray<string>
  readonly seedsMax: number
  readonly jobs: number
  readonly print: (line: string) => void
}

const NAME_WIDTH = 30
const AFTER_WIDTH = 11
const VIOLATION_MAX = 100

/** Above the lines of the bugs. */
export const PLANTED_HEADER = [
  "bug".padEnd(NAME_WIDTH),
  "after seeds".padStart(AFTER_WIDTH),
  " by seed: violation",
].join(" ")

/** A bug that was caught is followed by the line that replays it. */
const linesOf = ({ afterSeeds, name, seed, violation = "" }: Caught, seedsMax: number) => {
  const after = afterSeeds === undefined ? `not in ${seedsMax}` : String(afterSeeds)
  const line = `${name.padEnd(NAME_WIDTH)} ${after.padStart(AFTER_WIDTH)}`
  if (seed === undefined) return [line]
  return [
    `${line}  ${seed}: ${violation.slice(0, VIOLATION_MAX)}`,
    `  replay: ${replayOf({ seed, planted: name })}`,
  ]
}

const tryOne = ({ name }: PlantedBug, { jobs, seedsMax, socketDir }: PlantedOptions) =>
  Effect.gen(function* () {
    let run = 0
    let first: { seed: number; violation: string | undefined } | undefined
    const seeds = Array.from({ length: seedsMax }, (_, index) => index + 1)
    const plan = { socketDir, seeds, planted: name, trace: false, minimise: false, stopAtFailure: true }
    const bar = makeProgressBar(name, seedsMax, process.stderr)
    const shards = runShards(plan, jobs, ({ seed, violations }) => {
      if (first === undefined) bar.update(++run)
      if (violations.length > 0) first ??= { seed, violation: violations[0] }
    })
    yield* Effect.ensuring(shards, Effect.sync(bar.finish))
    return {
      name,
      afterSeeds: first === undefined ? undefined : Math.max(1, run),
      seed: first?.seed,
      violation: first?.violation,
    } satisfies Caught
  })

/** @error Error where a name is none of a planted bug, or where the simulation breaks off */
export const runPlanted = (options: PlantedOptions) =>
  Effect.gen(function* () {
    const unknown = options.names.find((name) => !PLANTED_BUGS.some((bug) => bug.name === name))
    if (unknown !== undefined) return yield* Effect.fail(new Error(`there is no planted bug ${unknown}`))
    const bugs = PLANTED_BUGS.filter(({ name }) => options.names.length === 0 || options.names.includes(name))
    for (const edit of bugs.flatMap(({ edits }) => edits)) {
      yield* Effect.sync(() => patched(readFileSync(join(CHECKOUT, edit.file), "utf8"), edit))
    }
    const results: Array<Caught> = []
    for (const bug of bugs) {
      const caught = yield* tryOne(bug, options)
      results.push(caught)
      for (const line of linesOf(caught, options.seedsMax)) options.print(line)
    }
    return results
  })
