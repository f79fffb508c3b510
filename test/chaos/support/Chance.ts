/** Random choices that a printed seed repeats. */

export interface Chance {
  readonly seed: number
  /** In [0, 1). */
  readonly next: () => number
  /** A whole number from `from` to `to`, both included. */
  readonly between: (from: number, to: number) => number
  readonly shuffle: <A>(list: ReadonlyArray<A>) => ReadonlyArray<A>
}

/** mulberry32: 32 bits of state are enough to choose moments, and a seed stays short enough to type. */
const mulberry32 = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const makeChance = (seed: number): Chance => {
  const next = mulberry32(seed)
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const shuffle = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> => {
    const keyed = list.map((item) => ({ item, at: next() }))
    return keyed.sort((one, other) => one.at - other.at).map(({ item }) => item)
  }
  return { seed, next, between, shuffle }
}

/** A new seed each time, or NOVA_CHAOS_SEED; printed, so that a failure can be run again. */
export const announcedChance = (test: string): Chance => {
  const given = process.env.NOVA_CHAOS_SEED
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  console.log(`${test}: NOVA_CHAOS_SEED=${seed}`)
  return makeChance(seed)
}
