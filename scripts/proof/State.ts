/**
 * What a proof knows so far, in a folder of its own, so that it can be cut short at any moment and goes on later.
 *
 *   about.json          the runs, each with its commit and digest; every result names the run that it came from
 *   seeds.jsonl, planted.jsonl                    a line a result, added as they come, never taken away
 *   <part>-broke-off.jsonl                        a line for each time that the part ended before its end
 *   kills.json, database.json                     the figures of a part that ran to its end
 *   history.jsonl                                 what was there each time that it was begun anew: this stays
 *
 * All runs are of one digest: a state of other sources is refused, not mixed.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import type { Hardware } from "../../bench/Hardware.ts"
import { StartupFailure } from "../../layers/platform/StartupFailure.ts"
import type { KillFigures } from "../../test/chaos/experiment/Kills.ts"
import type { DatabaseFigures } from "../../test/chaos/experiment/Throughput.ts"
import type { Caught } from "../../test/simulation/planted/RunPlanted.ts"
import type { ShardLine } from "../../test/simulation/Shard.ts"
import { appendLine, cutTorn, readLines } from "./JsonLines.ts"
import type { Origin } from "./Sources.ts"

export const PARTS = ["planted", "seeds", "kills", "database"] as const
export type Part = (typeof PARTS)[number]

/** One start of the command. */
export interface Run extends Origin {
  /** ISO 8601. */
  readonly startedAt: string
  readonly jobs: number
  /** How many seeds were wanted, from 1; 0 where the part was not. */
  readonly seeds: number
  readonly hardware: Hardware
}

interface Result {
  /** The place in the list of runs. */
  readonly run: number
}

/** As the shard says it; seconds since the run began with seeds. */
export type SeedRow = Result &
  Pick<ShardLine, "seed" | "violations" | "virtualMs" | "paid" | "traceHash"> & { readonly seconds: number }

export type PlantedRow = Result &
  Caught & {
    readonly breaks: string
    readonly seconds: number
    /** A bug that so many seeds do not see is not caught. Older states do not say. */
    readonly seedsMax?: number
    /** A test that fails with it, where no seed need do so. */
    readonly seenBy?: string
  }

/** A part that ended before its end. */
export type BrokeOffRow = Result & { readonly part: Part; readonly said: string }

/** What scripts/chaos.ts found, and the seed that it drew from. */
export type ChaosResult<Figures> = Result & { readonly seed: number; readonly figures: Figures }

/** What a state held when it was begun anew. */
export interface BegunAnew {
  /** Of its sources. */
  readonly digest: string
  readonly commit: string
  /** When its first run began, ISO 8601. */
  readonly startedAt: string
  /** What spoke against the claims, a sentence each. */
  readonly failures: ReadonlyArray<string>
  /** How many seeds had run, which planted bugs were tried, and the seeds that the experiments drew from. */
  readonly seeds: number
  readonly planted: ReadonlyArray<string>
  readonly kills?: number
  readonly database?: number
}

export interface State {
  readonly runs: ReadonlyArray<Run>
  readonly seeds: ReadonlyArray<SeedRow>
  readonly planted: ReadonlyArray<PlantedRow>
  readonly brokeOff: ReadonlyArray<BrokeOffRow>
  /** Of any sources. */
  readonly history: ReadonlyArray<BegunAnew>
  readonly kills?: ChaosResult<KillFigures>
  readonly database?: ChaosResult<DatabaseFigures>
}

const LINES = { seeds: "seeds.jsonl", planted: "planted.jsonl" } as const
const WHOLE = { kills: "kills.json", database: "database.json" } as const
const ABOUT = "about.json"
const HISTORY = "history.jsonl"

const brokeOffFile = (part: Part): string => `${part}-broke-off.jsonl`

const readWhole = (path: string) => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined)

/** A reader sees the old file or the new one, never a half. */
const writeWhole = (path: string, value: object): void => {
  writeFileSync(`${path}.draft`, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(`${path}.draft`, path)
}

/** Older ones measured once after a trouble, which says too little: they count as not run. */
const readDatabase = (path: string): ChaosResult<DatabaseFigures> | undefined => {
  const found = readWhole(path)
  const isOlder = found?.figures.troubles.some(({ before }: { before: unknown }) => !Array.isArray(before))
  return isOlder ? undefined : found
}

export const readState = (directory: string): State => {
  const kills = readWhole(join(directory, WHOLE.kills))
  const database = readDatabase(join(directory, WHOLE.database))
  return {
    runs: readWhole(join(directory, ABOUT))?.runs ?? [],
    seeds: readLines(join(directory, LINES.seeds)),
    planted: readLines(join(directory, LINES.planted)),
    brokeOff: PARTS.flatMap((part) => readLines<BrokeOffRow>(join(directory, brokeOffFile(part)))),
    history: readLines(join(directory, HISTORY)),
    ...(kills === undefined ? {} : { kills }),
    ...(database === undefined ? {} : { database }),
  }
}

/** Cuts off what was torn in a part's own files. For whoever holds the part. */
export const mendLines = (directory: string, part: Part): void => {
  cutTorn(join(directory, brokeOffFile(part)))
  if (part === "seeds" || part === "planted") cutTorn(join(directory, LINES[part]))
}

/**
 * Forgets everything but the history; what else lies in the folder stays. The list of runs goes last: cut short, it
 * leaves no results that do not say where they are from.
 */
export const clearState = (directory: string): void => {
  for (const name of [...Object.values(LINES), ...Object.values(WHOLE), ...PARTS.map(brokeOffFile), ABOUT]) {
    rmSync(join(directory, name), { force: true })
  }
}

const otherSources = (directory: string, { commit, digest }: Origin, now: Origin) =>
  new StartupFailure({
    message:
      `${directory} holds results of other sources (commit ${commit.slice(0, 12)}, digest ${digest.slice(0, 12)}, ` +
      `now ${now.digest.slice(0, 12)}), which are not mixed with new ones: --fresh begins anew.`,
  })

/**
 * Adds a run to the state and answers with its place in the list.
 *
 * @error StartupFailure where the state is of other sources
 */
export const beginRun = (directory: string, run: Run): Effect.Effect<number, StartupFailure> =>
  Effect.suspend(() => {
    mkdirSync(directory, { recursive: true })
    const { runs } = readState(directory)
    const other = runs.find(({ digest }) => digest !== run.digest)
    if (other !== undefined) return Effect.fail(otherSources(directory, other, run))
    writeWhole(join(directory, ABOUT), { runs: [...runs, run] })
    return Effect.succeed(runs.length)
  })

export const addSeed = (directory: string, row: SeedRow): void =>
  appendLine(join(directory, LINES.seeds), row)

export const addPlanted = (directory: string, row: PlantedRow): void =>
  appendLine(join(directory, LINES.planted), row)

export const addBrokeOff = (directory: string, row: BrokeOffRow): void =>
  appendLine(join(directory, brokeOffFile(row.part)), row)

/** For whoever holds all of it. */
export const addBegunAnew = (directory: string, row: BegunAnew): void => {
  cutTorn(join(directory, HISTORY))
  appendLine(join(directory, HISTORY), row)
}

export const putChaos = (directory: string, part: keyof typeof WHOLE, result: ChaosResult<object>): void =>
  writeWhole(join(directory, WHOLE[part]), result)
