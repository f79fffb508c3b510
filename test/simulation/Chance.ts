/**
 * Chance that is the same in every run of the same seed: sfc32 (Chris Doty-Humphrey, PractRand), seeded by SHA-256.
 * Streams with other names are independent, so that a change of one part of a run leaves the draws of the others.
 */
import { createHash } from "node:crypto"

export interface Chance {
  /** From 0 to `bound` - 1. */
  readonly below: (bound: number) => number
  /** Whole, both included. */
  readonly between: (least: number, most: number) => number
  /** True so often out of 1. */
  readonly isTrue: (share: number) => boolean
  readonly pick: <A>(list: readonly [A, ...ReadonlyArray<A>]) => A
  readonly bytes: (size: number) => Uint8Array
}

/** @param name of the stream, beside the seed */
export const chanceOf = (seed: number, name: string): Chance => {
  const digest = createHash("sha256").update(`${seed} ${name}`).digest()
  const state = new Uint32Array(4)
  for (let index = 0; index < 4; index++) state[index] = digest.readUInt32LE(index * 4)

  const next = (): number => {
    const [a = 0, b = 0, c = 0, counter = 0] = state
    const sum = (a + b + counter) >>> 0
    state[0] = b ^ (b >>> 9)
    state[1] = c + (c << 3)
    state[2] = ((c << 21) | (c >>> 11)) + sum
    state[3] = counter + 1
    return sum
  }
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound)
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    isTrue: (share) => next() < share * 2 ** 32,
    pick: ([first, ...rest]) => {
      const place = below(rest.length + 1)
      return place === 0 ? first : (rest[place - 1] ?? first)
    },
    bytes: (size) => Uint8Array.from({ length: size }, () => next() & 0xff),
  }
}
