/** The part `seeds`: many seeds without a bug. One that fails is written down like the others, and the run goes on. */
import { Effect } from "effect"
import { startThrowawayPostgres } from "../../layers/db/embedded-postgres/Throwaway.ts"
import type { StartupFailure } from "../../layers/platform/StartupFailure.ts"
import { failureOf } from "../../test/simulation/SeedLines.ts"
import type { ShardLine } from "../../test/simulation/Shard.ts"
import { runShards } from "../../test/simulation/Shards.ts"
import { BrokeOff, type Keeper, keep, known } from "./Keeper.ts"
import { makeSeedsBar } from "./SeedsBar.ts"
import { addSeed } from "./State.ts"

const MS_PER_SECOND = 1000

/** Writes each line down; the effect fails at the first that may not be. */
const writeLines = (keeper: Keeper, before: number) => {
  const startedAt = performance.now()
  const bar = makeSeedsBar(before, keeper.run.seeds, process.stderr)
  let done = before
  let refuse = (_: StartupFailure): void => undefined
  const refusal = Effect.callback<never, StartupFailure>((resume) => {
    refuse = (failure) => resume(Effect.fail(failure))
  })
  const write = (line: ShardLine): void => {
    const { paid, seed, traceHash, violations, virtualMs } = line
    const seconds = Math.round(performance.now() - startedAt) / MS_PER_SECOND
    const row = { seed, violations, virtualMs, paid, traceHash, run: keeper.place, seconds }
    const kept = keep(keeper, () => addSeed(keeper.directory, row))
    Effect.runSync(Effect.catch(kept, (failure) => Effect.sync(() => refuse(failure))))
    if (violations.length > 0) {
      bar.clear()
      console.log(failureOf(line))
    }
    bar.update(++done, seconds)
  }
  return { write, refusal, finish: bar.finish }
}

/** Runs the seeds from 1 that are not there yet. */
export const proveSeeds = (keeper: Keeper) =>
  Effect.gen(function* () {
    const there = new Set(known(keeper).seeds.map(({ seed }) => seed))
    const wanted = Array.from({ length: keeper.run.seeds }, (_, index) => index + 1)
    const seeds = wanted.filter((seed) => !there.has(seed))
    console.log(`seeds: ${wanted.length - seeds.length} of ${wanted.length} are there`)
    if (seeds.length === 0) return
    const { connection } = yield* startThrowawayPostgres("simulation")
    const plan = {
      socketDir: connection.socketDir,
      seeds,
      trace: false,
      minimise: false,
      stopAtFailure: false,
    }
    const lines = writeLines(keeper, wanted.length - seeds.length)
    const all = runShards(plan, keeper.run.jobs, lines.write).pipe(
      Effect.mapError((error) => new BrokeOff({ said: error.message })),
    )
    yield* Effect.raceFirst(all, lines.refusal).pipe(Effect.ensuring(Effect.sync(lines.finish)))
  })
