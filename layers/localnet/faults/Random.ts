/**
 * Randomness that is the same in every run of the same seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable
 * Pseudorandom Number Generators, OOPSLA 2014; constants of https://prng.di.unimi.it/splitmix64.c).
 */
import { createHash } from "node:crypto"

export interface Random {
  /** 64 bits. */
  readonly next: () => bigint
  /** A whole number from `least` to `most`, both included. */
  readonly between: (least: number, most: number) => number
  readonly isHeads: () => boolean
}

const MASK = (1n << 64n) - 1n

/** @param state the 64 bits to start from */
export const splitMix64 = (state: bigint): Random => {
  let at = state & MASK
  const next = (): bigint => {
    at = (at + 0x9e3779b97f4a7c15n) & MASK
    let mixed = at
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK
    return mixed ^ (mixed >> 31n)
  }
  return {
    next,
    between: (least, most) => least + Number(next() % BigInt(most - least + 1)),
    isHeads: () => next() >> 63n === 1n,
  }
}

/** Any text is a seed: its SHA-256 gives the 64 bits. */
export const randomFrom = (seed: string): Random =>
  splitMix64(createHash("sha256").update(seed).digest().readBigUInt64BE())
