/**
 * docs/proof.json: what the proof found, made from its state. Every part names the digest of its sources; parts of
 * different digests are refused, wherever they come from. Whatever failed is in here by itself, not as a count alone.
 */
import type { KillFigures } from "../../test/chaos/experiment/Kills.ts"
import type { DatabaseFigures } from "../../test/chaos/experiment/Throughput.ts"
import { PLANTED_BUGS } from "../../test/simulation/planted/PlantedBugs.ts"
import { digestOf } from "../../test/simulation/SeedLines.ts"
import { SEEDS_MAX } from "./Planted.ts"
import {
  type BrokeOffRow,
  type ChaosResult,
  PARTS,
  type PlantedRow,
  type Run,
  type SeedRow,
  type State,
} from "./State.ts"
import { throughputsOf } from "./Throughput.ts"

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

export interface PlantedResult extends Speaks {
  readonly seedsMax: number
  readonly bugs: ReadonlyArray<Omit<PlantedRow, "run">>
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

const plantedResult = (state: State): PlantedResult => ({
  ...speaks(state, state.planted),
  seedsMax: SEEDS_MAX,
  bugs: state.planted.map(({ run: _, ...row }) => row),
  notTried: PLANTED_BUGS.map(({ name }) => name).filter(
    (name) => !state.planted.some((row) => row.name === name),
  ),
})

const chaosReport = <Figures>(state: State, result: ChaosResult<Figures>): ChaosReport<Figures> => ({
  ...speaks(state, [result]),
  seed: result.seed,
  figures: result.figures,
})

/** Throws where the state holds results of different sources. */
export const makeProof = (state: State): Proof =>
  unmixed({
    runs: state.runs,
    ...(state.seeds.length === 0 ? {} : { seeds: seedsResult(state) }),
    ...(state.planted.length === 0 ? {} : { planted: plantedResult(state) }),
    ...(state.kills === undefined ? {} : { kills: chaosReport(state, state.kills) }),
    ...(state.database === undefined ? {} : { database: chaosReport(state, state.database) }),
    brokeOff: state.brokeOff,
  })

/** The first, and how many follow: where one reward is paid twice, much else is wrong too. */
export const inShort = ([first = "", ...others]: ReadonlyArray<string>): string =>
  others.length === 0 ? first : `${first}, and ${others.length} more`

/** What speaks against the claims, a sentence each. What did not run is no failure, but no proof either. */
export const failuresOf = ({ database, kills, planted, seeds }: Proof): ReadonlyArray<string> => [
  ...(seeds?.failures ?? []).map(({ seed, violations }) => `seed ${seed}: ${inShort(violations)}`),
  ...(planted?.bugs ?? [])
    .filter(({ afterSeeds }) => afterSeeds === undefined)
    .map(({ name }) => `planted bug ${name} was not caught in ${planted?.seedsMax} seeds`),
  ...(kills?.figures.violations ?? []).map((violation) => `kills: ${violation}`),
  ...((kills?.figures.stuck ?? 0) > 0 ? [`kills: ${kills?.figures.stuck} rewards were stuck`] : []),
  ...(database?.figures.violations ?? []).map((violation) => `database: ${violation}`),
  ...throughputsOf(database?.figures.troubles ?? [])
    .filter(({ verdict }) => verdict === "broken")
    .map(({ kind, name, ratio }) => `database: after "${name}" ${ratio} of what was ${kind} before`),
]

/** What was not run, or not to its end: nothing is known of it. */
export const gapsOf = (proof: Proof): ReadonlyArray<string> => {
  const { planted, seeds } = proof
  const missing = (seeds?.wanted ?? 0) - (seeds?.ran ?? 0)
  const notTried = planted?.notTried ?? []
  return [
    ...PARTS.filter((part) => proof[part] === undefined),
    ...(seeds !== undefined && missing > 0 ? [`${missing} of ${seeds.wanted} seeds`] : []),
    ...(notTried.length > 0 ? [`planted bugs ${notTried.join(", ")}`] : []),
  ]
}
