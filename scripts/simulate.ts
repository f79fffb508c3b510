/**
 * `npm run simulate -- --seeds N`: runs the simulation (test/simulation) on seeds 1 to N, in two processes.
 *
 *   --seeds N        how many (100), from --from (1)
 *   --seed n         one seed; --faults 3,7 lets only these of its faults take place, --faults= none of them
 *   --trace          prints what happened
 *   --jobs n         processes (2)
 *   --minimise       reduces the faults of a seed that fails to those that it needs
 *   --planted        how many seeds it takes to catch each planted bug, or those of --bugs a,b: at most --seeds (1,000);
 *                    with --seed and one bug: that seed with that bug, like any other seed
 *
 * A failing seed prints the line that replays it. A seed that did not run, since its process ended, is a failure too.
 * The last line is one JSON object.
 */
import { Effect, Result } from "effect"
import { startThrowawayPostgres } from "../layers/db/embedded-postgres/Throwaway.ts"
import { runMain } from "../layers/platform/Platform.ts"
import { StartupFailure } from "../layers/platform/StartupFailure.ts"
import { PLANTED_BUGS } from "../test/simulation/planted/PlantedBugs.ts"
import { PLANTED_HEADER, runPlanted } from "../test/simulation/planted/RunPlanted.ts"
import { digestOf, failureOf } from "../test/simulation/SeedLines.ts"
import { type MinimiseLine, Refused, runShard, type ShardLine } from "../test/simulation/Shard.ts"
import { runShards } from "../test/simulation/Shards.ts"
import { placedLine } from "../test/simulation/TraceHeader.ts"
import { readOptions, refuseArguments } from "./arguments/ReadOptions.ts"
import { makeSeedsBar } from "./proof/SeedsBar.ts"

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
    bugs: { type: "string" },
    shard: { type: "string" },
  },
  ["seeds", "seed", "from", "jobs"],
)

const faults = values.faults?.split(",").filter(Boolean).map(Number)
const bugs = (values.bugs ?? "").split(",").filter(Boolean)
const unknownBug = bugs.find((name) => !PLANTED_BUGS.some((bug) => bug.name === name))
const isOneSeed = values.seed !== undefined

/** What is wrong with the options; undefined where nothing is. */
const wrongOption = (): string | undefined => {
  if (!/^(\d+(,\d+)*)?$/.test(values.faults ?? "")) return "--faults is a list of places, as in --faults 3,7."
  if (isOneSeed && values.seeds !== undefined)
    return "--seed is one seed, --seeds are many: give one of them."
  if (!isOneSeed && (faults ?? []).length > 0)
    return "--faults are places among the faults of one seed: say which with --seed."
  if (!values.planted) return values.bugs === undefined ? undefined : "--bugs goes with --planted."
  if (unknownBug !== undefined) return `There is no planted bug ${unknownBug}.`
  if (isOneSeed && bugs.length !== 1) return "--planted with --seed plants one bug: name it with --bugs."
  if (!isOneSeed && (values.trace || values.minimise || faults !== undefined))
    return "--trace, --minimise and --faults go with --planted for one seed of one bug: name them with --seed and --bugs."
  return undefined
}

const MS_PER_HOUR = 3_600_000
const MS_PER_SECOND = 1000

const reportFailure = (line: ShardLine): void => {
  console.log(failureOf(line))
  if (line.minimal?.length === 0) console.log("  it needs none of its faults")
  for (const [place, fault] of line.minimal ?? []) console.log(`  ${placedLine(place, fault)}`)
}

/** A sign of life: each run takes a second or two, and there are up to 150. */
const reportMinimising = ({ left, minimising, runs }: MinimiseLine): void => {
  const text = `minimising seed ${minimising}: ${runs} runs, ${left} faults left`
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\u001b[K`)
  else if (runs % 5 === 1) process.stderr.write(`${text}\n`)
}

const seedsWanted = (): ReadonlyArray<number> => {
  if (values.seed !== undefined) return [Number(values.seed)]
  return Array.from({ length: Number(values.seeds ?? 100) }, (_, index) => Number(values.from) + index)
}

const SHOWN_MAX = 20

const firstOf = (seeds: ReadonlyArray<number>): string =>
  `${seeds.slice(0, SHOWN_MAX).join(", ")}${seeds.length > SHOWN_MAX ? " ..." : ""}`

const planOf = (socketDir: string, seeds: ReadonlyArray<number>) => ({
  socketDir,
  seeds,
  trace: values.trace,
  minimise: values.minimise,
  stopAtFailure: false,
  ...(faults === undefined ? {} : { faults }),
  ...(values.planted && bugs[0] !== undefined ? { planted: bugs[0] } : {}),
})

/** Says what became of the seeds that were wanted, and answers with how many failed. */
const summarise = (
  seeds: ReadonlyArray<number>,
  lines: ReadonlyArray<ShardLine>,
  seconds: number,
): number => {
  const ran = new Set(lines.map(({ seed }) => seed))
  const notRun = seeds.filter((seed) => !ran.has(seed))
  if (notRun.length > 0) console.log(`NOT RUN ${notRun.length} seeds: ${firstOf(notRun)}`)
  const hours = lines.reduce((sum, line) => sum + line.virtualMs, 0) / MS_PER_HOUR
  const failures = lines.filter(({ violations }) => violations.length > 0).length + notRun.length
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
  return failures
}

const simulateSeeds = (socketDir: string) =>
  Effect.gen(function* () {
    const seeds = seedsWanted()
    const startedAt = performance.now()
    const secondsNow = () => (performance.now() - startedAt) / MS_PER_SECOND
    const bar = makeSeedsBar(0, seeds.length, process.stderr)
    const lines: Array<ShardLine> = []
    const read = (line: ShardLine): void => {
      lines.push(line)
      bar.clear()
      for (const text of line.trace ?? []) console.log(text)
      if (line.violations.length > 0) reportFailure(line)
      bar.update(lines.length, secondsNow())
    }
    const shards = runShards(planOf(socketDir, seeds), Number(values.jobs), read, reportMinimising)
    const ended = yield* Effect.result(Effect.ensuring(shards, Effect.sync(bar.finish)))
    if (Result.isFailure(ended)) {
      if (ended.failure instanceof StartupFailure) return yield* ended.failure
      console.log(`The simulation broke off: ${ended.failure.message}`)
    }
    const failures = summarise(seeds, lines, secondsNow())
    if (failures > 0 || Result.isFailure(ended)) process.exitCode = 1
  })

const catchPlanted = (socketDir: string) =>
  Effect.gen(function* () {
    console.log(PLANTED_HEADER)
    const results = yield* runPlanted({
      socketDir,
      names: bugs,
      seedsMax: Number(values.seeds ?? 1_000),
      jobs: Number(values.jobs),
      print: console.log,
    })
    const rows = results.map((row) => ({ ...row, afterSeeds: row.afterSeeds ?? null }))
    const caught = rows.filter(({ afterSeeds }) => afterSeeds !== null).length
    console.log(JSON.stringify({ planted: rows.length, caught, results: rows }))
    const isExpected = ({ afterSeeds, name }: (typeof rows)[number]) =>
      afterSeeds !== null || PLANTED_BUGS.some((bug) => bug.name === name && bug.seenBy !== undefined)
    if (!rows.every(isExpected)) process.exitCode = 1
  })

const program = Effect.gen(function* () {
  const { connection } = yield* startThrowawayPostgres("simulation")
  yield* values.planted && !isOneSeed
    ? catchPlanted(connection.socketDir)
    : simulateSeeds(connection.socketDir)
})

const runAsShard = async (plan: string): Promise<void> => {
  try {
    await runShard(JSON.parse(plan), (line) => console.log(JSON.stringify(line)))
  } catch (error) {
    if (error instanceof Refused) refuseArguments(error.message)
    throw error
  }
}

if (values.shard !== undefined) await runAsShard(values.shard)
else {
  const wrong = wrongOption()
  if (wrong !== undefined) refuseArguments(wrong)
  runMain(program, { interruptedCode: 130 })
}
