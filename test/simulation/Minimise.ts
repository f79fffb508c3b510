/**
 * The fewest faults with which a seed still fails: delta debugging (Zeller, Hildebrandt: Simplifying and Isolating
 * Failure-Inducing Input, IEEE TSE 28, 2002), over the list of the seed's faults. Everything else of the run stays.
 *
 * Invariant: what is left breaks the same law first as what it was made from. A failure of another kind that turns up
 * on the way is another failure.
 */
import type { Fault } from "./Fault.ts"
import type { RealSessions } from "./RealSessions.ts"
import { kindOf } from "./SeedLines.ts"
import { simulate } from "./Simulate.ts"

export type Placed = readonly [place: number, fault: Fault]

/** Runs that are spent on one seed at most. */
const RUNS_MAX = 150

const without = (list: ReadonlyArray<Placed>, from: number, to: number): ReadonlyArray<Placed> => [
  ...list.slice(0, from),
  ...list.slice(to),
]

/**
 * @param fails whether a run with these faults only is still one that fails; asked again and again
 * @param onRun after each run: how many there were, and how many faults are left
 */
export const minimal = async (
  faults: ReadonlyArray<Placed>,
  fails: (faults: ReadonlyArray<Placed>) => Promise<boolean>,
  onRun: (runs: number, left: number) => void = () => undefined,
): Promise<ReadonlyArray<Placed>> => {
  let left = faults
  let runs = 0
  for (let size = Math.ceil(left.length / 2); size >= 1 && runs < RUNS_MAX; ) {
    let shortened = false
    for (let from = 0; from < left.length && runs < RUNS_MAX; ) {
      const rest = without(left, from, from + size)
      runs++
      if (rest.length < left.length && (await fails(rest))) {
        left = rest
        shortened = true
      } else from += size
      onRun(runs, left.length)
    }
    if (size === 1 && !shortened) break
    size = shortened ? Math.max(1, Math.min(size, Math.ceil(left.length / 2))) : Math.floor(size / 2)
  }
  return left
}

interface Failure {
  readonly seed: number
  /** Those that took place. */
  readonly faults: ReadonlyArray<Placed>
  /** Its first violation. */
  readonly violation: string
}

/** @param onRun after each run: how many there were, and how many faults are left */
export const minimise = (
  { faults, seed, violation }: Failure,
  real: RealSessions,
  onRun: (runs: number, left: number) => void,
): Promise<ReadonlyArray<Placed>> =>
  minimal(
    faults,
    async (some) => {
      const places = new Set(some.map(([place]) => place))
      const { violations } = await simulate(seed, real, (all) => all.filter((_, place) => places.has(place)))
      const [first] = violations
      return first !== undefined && kindOf(first) === kindOf(violation)
    },
    onRun,
  )
