/** What a trouble with the database leaves of the throughput, against what is promised and what the machine can tell. */
import type { Rate, TroubleFigures } from "../../test/chaos/experiment/Throughput.ts"

/** Of the throughput before, ten seconds after a recovery. */
export const PROMISED_SHARE = 0.95

export interface Throughput {
  readonly name: string
  readonly kind: keyof Rate
  /** Rewards a second, in the order of the measurements. */
  readonly before: ReadonlyArray<number>
  readonly after: ReadonlyArray<number>
  /** The median after, in parts of the median before. */
  readonly ratio: number
  /**
   * Kept or broken is what the medians say; but broken only where the best after is less than the promised share of the
   * worst before, since else the machine alone makes as much of a difference. Not measured is what was nothing before,
   * or was not read: null, once it was in a file.
   */
  readonly verdict: "kept" | "not shown" | "broken" | "not measured"
}

const isMeasured = (value: unknown): boolean =>
  typeof value === "number" && Number.isFinite(value) && value >= 0

/** Of an odd number of values. */
const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN

const verdictOf = (
  before: ReadonlyArray<number>,
  after: ReadonlyArray<number>,
  ratio: number,
): Throughput["verdict"] => {
  if (!isMeasured(ratio)) return "not measured"
  if (ratio >= PROMISED_SHARE) return "kept"
  return Math.max(...after) < PROMISED_SHARE * Math.min(...before) ? "broken" : "not shown"
}

const throughputOf = (figures: TroubleFigures, kind: keyof Rate): Throughput => {
  const before = figures.before.map((rate) => rate[kind])
  const after = figures.after.map((rate) => rate[kind])
  const isKnown = [...before, ...after].every(isMeasured) && Math.min(...before) > 0
  const ratio = isKnown ? median(after) / median(before) : Number.NaN
  return { name: figures.name, kind, before, after, ratio, verdict: verdictOf(before, after, ratio) }
}

export const throughputsOf = (troubles: ReadonlyArray<TroubleFigures>): ReadonlyArray<Throughput> =>
  troubles.flatMap((figures) => [throughputOf(figures, "accepted"), throughputOf(figures, "ended")])
