/**
 * The part `planted`: after how many seeds each planted bug is caught, written down bug by bug. One that breaks off
 * stops no other.
 */
import { Effect } from "effect"
import { startThrowawayPostgres } from "../../layers/db/embedded-postgres/Throwaway.ts"
import { PLANTED_BUGS, type PlantedBug } from "../../test/simulation/planted/PlantedBugs.ts"
import { runPlanted } from "../../test/simulation/planted/RunPlanted.ts"
import { BrokeOff, type Keeper, keep, keepBrokeOff, known } from "./Keeper.ts"
import { addPlanted } from "./State.ts"

/** A bug that so many seeds do not see is not caught. */
export const SEEDS_MAX = 1_000

/** One that a test sees is tried with fewer. */
const SEEDS_MAX_SEEN = 200

const proveOne = (keeper: Keeper, socketDir: string, { breaks, name, seenBy }: PlantedBug) =>
  Effect.gen(function* () {
    const startedAt = performance.now()
    const seedsMax = seenBy === undefined ? SEEDS_MAX : SEEDS_MAX_SEEN
    const plan = { socketDir, names: [name], seedsMax, jobs: keeper.run.jobs, print: console.log }
    const results = yield* runPlanted(plan).pipe(
      Effect.mapError((error) => new BrokeOff({ said: `${name}: ${error.message}` })),
    )
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10
    yield* keep(keeper, () => {
      for (const caught of results) {
        const row = { ...caught, breaks, seedsMax, run: keeper.place, seconds }
        addPlanted(keeper.directory, seenBy === undefined ? row : { ...row, seenBy })
      }
    })
  })

/** Tries the bugs that are not there yet: all, or those of the names. */
export const provePlanted = (keeper: Keeper, names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const there = new Set(known(keeper).planted.map(({ name }) => name))
    const wanted = PLANTED_BUGS.filter(({ name }) => names.length === 0 || names.includes(name))
    const bugs = wanted.filter(({ name }) => !there.has(name))
    console.log(`planted: ${wanted.length - bugs.length} of ${wanted.length} are there`)
    if (bugs.length === 0) return
    const { connection } = yield* startThrowawayPostgres("simulation")
    for (const bug of bugs) {
      yield* proveOne(keeper, connection.socketDir, bug).pipe(
        Effect.catchTag("BrokeOff", (failure) => keepBrokeOff(keeper, "planted", failure)),
      )
    }
  })
