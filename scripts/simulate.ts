/**
 * `bun run simulate --seeds N`: runs the simulation (test/simulation) on seeds 1 to N, in two processes.
 *
 *   --seeds N        how many, from --from (1)
 *   --seed n         one seed; --faults 3,7 lets only these of its faults take place, --trace prints what happened
 *   --jobs n         processes (2)
 *   --minimise       reduces the faults of a seed that fails to those that it needs
 *   --planted        how many seeds it takes to catch each planted bug, or those of --bugs a,b: at most --seeds (1,000)
 *
 * A failing seed prints the line that replays it. A seed that did not run, since its process ended, is a failure too.
 * The last line is one JSON object.
 */
import { Effect, Result } from "effect"
import { startThrowawayPostgres } from "../layers/db/embedded-postgres/Throwaway.ts"
import { runMain } from "../layers/platform/Platform.ts"
import { makeProgressBar } from "../src/demo/ProgressBar.ts"
import { runPlanted } from "../test/simulation/planted/RunPlanted.ts"
import { digestOf, replayOf } from "../test/simulation/SeedLines.ts"
import { runShard, type ShardLine } from "../test/simulation/Shard.ts"
import { runShards } from "../test/simulation/Shards.ts"
import { readOptions, refuseArguments } from "./arguments/ReadOptions.ts"

const values = readOptions(
  import.meta.path,
  {
    seeds: { type: "string" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    faults: { type: "string" },
    jobs: { type: "string", default: "2" },
    trace: { type: "boolean", default: false },
    minimise: { type: "boolean", default: false },
    planted: { type: "boolean", default: false },
    bugs: { type: "string", default: "" },
    shard: { type: "string" },
  },
  ["seeds", "seed", "from", "jobs"],
)

if (!/^(\d+(,\d+)*)?$/.test(values.faults ?? ""))
  refuseArguments("--faults is a list of places, as in --faults 3,7.")

const MS_PER_HOUR = 3_600_000

const reportFailure = (line: ShardLine): void => {
  console.log(`seed ${line.seed} fails: ${line.violations[0]} | replay: ${replayOf(line)}`)
  for (const [place, fault] of line.minimal ?? []) console.log(`  fault ${place}: ${JSON.stringify(fault)}`)
}

const seedsWanted = (): ReadonlyArray<number> => {
  if (values.seed !== undefined) return [Number(values.seed)]
  return Array.from({ length: Number(values.seeds ?? 100) }, (_, index) => Number(values.from) + index)
}

const SHOWN_MAX = 20

const firstOf = (seeds: ReadonlyArray<number>): string =>
  `${seeds.slice(0, SHOWN_MAX).join(", ")}${seeds.length > SHOWN_MAX ? " ..." : ""}`

const simulateSeeds = (socketDir: string) =>
  Effect.gen(function* () {
    const seeds = seedsWanted()
    const startedAt = performance.now()
    const bar = makeProgressBar("simulate", seeds.length, process.stderr)
    const lines: Array<ShardLine> = []
    const plan = {
      socketDir,
      seeds,
      trace: values.trace,
      minimise: values.minimise,
      stopAtFailure: false,
      ...(values.faults === undefined
        ? {}
        : { faults: values.faults.split(",").filter(Boolean).map(Number) }),
    }
    const ended = yield* Effect.result(
      runShards(plan, Number(values.jobs), (line) => {
        lines.push(line)
        bar.update(lines.length)
        for (const text of line.trace ?? []) console.log(text)
        if (line.violations.length > 0) reportFailure(line)
      }),
    )
    bar.finish()
    if (Result.isFailure(ended)) console.log(`The simulation broke off: ${ended.failure.message}`)
    const ran = new Set(lines.map(({ seed }) => seed))
    const notRun = seeds.filter((seed) => !ran.has(seed))
    if (notRun.length > 0) console.log(`NOT RUN ${notRun.length} seeds: ${firstOf(notRun)}`)
    const seconds = (performance.now() - startedAt) / 1000
    const hours = lines.reduce((sum, line) => sum + line.virtualMs, 0) / MS_PER_HOUR
    const failing = lines.filter(({ violations }) => violations.length > 0).length
    const failures = failing + notRun.length
    const perMinute = (count: number) => ((count * 60) / seconds).toFixed(1)
    console.log(`Simulation: ${seeds.length - failures} passed, ${failures} failed`)
    console.log(`${perMinute(lines.length)} seeds and ${perMinute(hours)} simulated hours a minute`)
    const figures = {
      seeds: lines.length,
      not_run: notRun.length,
      failures,
      simulated_hours: Number(hours.toFixed(2)),
    }
    console.log(JSON.stringify({ ...figures, seconds: Number(seconds.toFixed(1)), traces: digestOf(lines) }))
    if (failures > 0 || Result.isFailure(ended)) process.exitCode = 1
  })

const catchPlanted = (socketDir: string) =>
  Effect.gen(function* () {
    const results = yield* runPlanted({
      socketDir,
      names: values.bugs.split(",").filter(Boolean),
      seedsMax: Number(values.seeds ?? 1_000),
      jobs: Number(values.jobs),
      print: console.log,
    })
    const caught = results.filter(({ afterSeeds }) => afterSeeds !== undefined).length
    console.log(JSON.stringify({ planted: results.length, caught, results }))
    if (caught < results.length) process.exitCode = 1
  })

const program = Effect.gen(function* () {
  const { connection } = yield* startThrowawayPostgres("simulation")
  yield* values.planted ? catchPlanted(connection.socketDir) : simulateSeeds(connection.socketDir)
})

if (values.shard === undefined) runMain(program, { interruptedCode: 130 })
else {
  await runShard(JSON.parse(values.shard), (line) => console.log(JSON.stringify(line)))
}
