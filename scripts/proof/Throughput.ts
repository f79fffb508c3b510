/** What a trouble with the database leaves of the throughput, against what is promised and what the machine can tell. */
import type { TroubleFigures } from "../../test/chaos/experiment/Throughput.ts"

/** Of the throughput before, ten seconds after a recovery. */
export const PROMISED_SHARE = 0.95

export interface Throughput {
  readonly name: string
  readonly kind: "accepted" | "ended"
  /** After, in parts of the mean of the two measurements before. */
  readonly ratio: number
  /** The second measurement before, in parts of the first: what the machine makes of the same. */
  readonly noise: number
  /**
   * Nothing is shown where the machine alone makes as much of a difference. Not measured is what was divided by
   * nothing or not read: null, once it was in a file.
   */
  readonly verdict: "kept" | "not shown" | "broken" | "not measured"
}

const isMeasured = (value: number): boolean => Number.isFinite(value) && value >= 0

const verdictOf = (ratio: number, noise: number): Throughput["verdict"] => {
  if (!isMeasured(ratio) || !isMeasured(noise) || noise === 0) return "not measured"
  if (ratio >= PROMISED_SHARE) return "kept"
  return ratio >= PROMISED_SHARE * Math.min(noise, 1 / noise) ? "not shown" : "broken"
}

export const throughputsOf = (troubles: ReadonlyArray<TroubleFigures>): ReadonlyArray<Throughput> =>
  troubles.flatMap(({ acceptedNoise, acceptedRatio, endedNoise, endedRatio, name }) =>
    (
      [
        ["accepted", acceptedRatio, acceptedNoise],
        ["ended", endedRatio, endedNoise],
      ] as const
    ).map(([kind, ratio, noise]) => ({ name, kind, ratio, noise, verdict: verdictOf(ratio, noise) })),
  )
