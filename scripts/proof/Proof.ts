/**
 * docs/proof.json: what the proof found, made from its state. Every part names the digest of its sources; parts of
 * different digests are refused, wherever they come from. Whatever failed is in here by itself, not as a count alone.
 */

import { type KillFigures, LEDGERS_MAX } from "../../test/chaos/experiment/Kills.ts"
import type { DatabaseFigures } from "../../test/chaos/experiment/Throughput.ts"
import { PLANTED_BUGS } from "../../test/simulation/planted/PlantedBugs.ts"
import { digestOf } from "../../test/simulation/SeedLines.ts"
import { SEEDS_MAX } from "./Planted.ts"
import type { BegunAnew, BrokeOffRow, ChaosResult, PlantedRow, Run, SeedRow, State } from "./State.ts"

const MS_PER_HOUR = 3_600_000

/** The runs that a part's results come from, by their place, and the digest that they share. */
interface Speaks {
  readonly digest: string
  readonly runs: ReadonlyArray<number>
}

export interface SeedsResult extends Speaks {
  readonly wanted: number
  readonly ran: number
  readonly simulatedHours: number
  readonly wallSeconds: number
  readonly seedsAMinute: number
  readonly paid: number
  /** Over all traces, as `bun run simulate` says it. */
  readonly traces: string
  readonly failures: ReadonlyArray<Pick<SeedRow, "seed" | "violations">>
}

export interface PlantedBugResult extends Omit<Required<PlantedRow>, "run" | "seenBy"> {
  readonly seenBy?: string
  /** What the seed that caught it does without the bug: a seed that fails anyway has caught nothing. */
  readonly without: "no violation" | "violation too" | "not run"
}

export interface PlantedResult extends Speaks {
  readonly bugs: ReadonlyArray<PlantedBugResult>
  readonly notTried: ReadonlyArray<string>
}

export interface ChaosReport<Figures> extends Speaks {
  readonly seed: number
  readonly figures: Figures
}

export interface Proof {
  readonly runs: ReadonlyArray<Run>
  readonly seeds?: SeedsResult
  readonly planted?: PlantedResult
  readonly kills?: ChaosReport<KillFigures>
  readonly database?: ChaosReport<DatabaseFigures>
  readonly brokeOff: ReadonlyArray<BrokeOffRow>
  /** Of the same sources. */
  readonly begunAnew: ReadonlyArray<BegunAnew>
}

const partsOf = (proof: Proof) => [proof.seeds, proof.planted, proof.kills, proof.database]

/** The proof itself, unless it speaks of more than one set of sources. Throws then. */
export const unmixed = (proof: Proof): Proof => {
  const spoken = partsOf(proof).flatMap((part) => (part === undefined ? [] : [part.digest]))
  const digests = new Set([...spoken, ...proof.runs.map(({ digest }) => digest)])
  if (digests.size > 1) throw new Error(`the proof mixes results of different sources: ${[...digests]}`)
  return proof
}

const speaks = (state: State, results: ReadonlyArray<{ readonly run: number }>): Speaks => {
  const runs = [...new Set(results.map(({ run }) => run))].sort((one, other) => one - other)
  const digests = new Set(runs.map((run) => state.runs[run]?.digest))
  const [digest] = digests
  if (digest === undefined || digests.size > 1)
    throw new Error(`results of ${digests.size} sources in one part: ${[...digests]}`)
  return { digest, runs }
}

const round = (value: number, places: number): number => Number(value.toFixed(places))

/** The seconds of each run with seeds, added up. */
const secondsOf = (rows: ReadonlyArray<SeedRow>): number =>
  [...Map.groupBy(rows, ({ run }) => run).values()].reduce(
    (sum, ofRun) => sum + Math.max(...ofRun.map(({ seconds }) => seconds)),
    0,
  )

const seedsResult = (state: State): SeedsResult => {
  const rows = state.seeds
  const wallSeconds = secondsOf(rows)
  const hours = rows.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / MS_PER_HOUR
  return {
    ...speaks(state, rows),
    wanted: Math.max(...state.runs.map(({ seeds }) => seeds)),
    ran: rows.length,
    simulatedHours: round(hours, 2),
    wallSeconds: round(wallSeconds, 1),
    seedsAMinute: round((rows.length * 60) / wallSeconds, 1),
    paid: rows.reduce((sum, { paid }) => sum + paid, 0),
    traces: digestOf(rows),
    failures: rows
      .filter(({ violations }) => violations.length > 0)
      .toSorted((one, other) => one.seed - other.seed)
      .map(({ seed, violations }) => ({ seed, violations })),
  }
}

/** Older states do not say the limits that they were measured against: they were these. */
const OLDER_KILLS = { ledgersMax: LEDGERS_MAX }
const OLDER_PLANTED = { seedsMax: SEEDS_MAX }

const withoutBug = (state: State, caughtBy: number | undefined): PlantedBugResult["without"] => {
  const row = state.seeds.find(({ seed }) => seed === caughtBy)
  if (row === undefined) return "not run"
  return row.violations.length === 0 ? "no violation" : "violation too"
}

const plantedResult = (state: State): PlantedResult => ({
  ...speaks(state, state.planted),
  bugs: state.planted.map(({ run: _, ...row }) => ({
    ...OLDER_PLANTED,
    ...row,
    without: withoutBug(state, row.seed),
  })),
  notTried: PLANTED_BUGS.map(({ name }) => name).filter(
    (name) => !state.planted.some((row) => row.name === name),
  ),
})

const chaosReport = <Figures>(state: State, result: ChaosResult<Figures>): ChaosReport<Figures> => ({
  ...speaks(state, [result]),
  seed: result.seed,
  figures: result.figures,
})

const killsReport = (state: State, result: ChaosResult<KillFigures>): ChaosReport<KillFigures> =>
  chaosReport(state, { ...result, figures: { ...OLDER_KILLS, ...result.figures } })

/** Throws where the state holds results of different sources. */
export const makeProof = (state: State): Proof =>
  unmixed({
    runs: state.runs,
    ...(state.seeds.length === 0 ? {} : { seeds: seedsResult(state) }),
    ...(state.planted.length === 0 ? {} : { planted: plantedResult(state) }),
    ...(state.kills === undefined ? {} : { kills: killsReport(state, state.kills) }),
    ...(state.database === undefined ? {} : { database: chaosReport(state, state.database) }),
    brokeOff: state.brokeOff,
    begunAnew: state.history.filter(({ digest }) => digest === state.runs[0]?.digest),
  })
