/** After how many seeds each planted bug is caught: a table, and the same as one line of JSON. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
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

const tryOne = ({ name }: PlantedBug, { jobs, seedsMax, socketDir }: PlantedOptions) =>
  Effect.gen(function* () {
    let run = 0
    let first: { seed: number; violation: string | undefined } | undefined
    const seeds = Array.from({ length: seedsMax }, (_, index) => index + 1)
    const plan = { socketDir, seeds, planted: name, trace: false, minimise: false, stopAtFailure: true }
    yield* runShards(plan, jobs, ({ seed, violations }) => {
      if (first === undefined) run++
      if (violations.length > 0) first ??= { seed, violation: violations[0] }
    })
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
      const after = caught.afterSeeds === undefined ? `not in ${options.seedsMax}` : String(caught.afterSeeds)
      options.print(
        `${bug.name.padEnd(30)} ${after.padStart(11)}  ${caught.seed ?? ""}: ${(caught.violation ?? "").slice(0, 100)}`,
      )
    }
    return results
  })
