/** Comparing bids (stellar-core src/herder/SurgePricingUtils.cpp). */
import type { EnvelopeFrame } from "../ledger/Frame.ts"

const operations = (frame: EnvelopeFrame): bigint => BigInt(Math.max(1, frame.operationCount))

/** feeRate3WayCompare: positive when the first bids more for each operation. */
export const compareRates = (one: EnvelopeFrame, other: EnvelopeFrame): number => {
  const left = one.fee * operations(other)
  const right = other.fee * operations(one)
  return left === right ? 0 : left > right ? 1 : -1
}

/** computePerOpFee, rounded down: stroops for each operation. */
export const perOperationFee = (frame: EnvelopeFrame): bigint => frame.fee / operations(frame)

/** computeBetterFee: the smallest whole fee with which `frame` outbids `rival`. */
export const betterFee = (frame: EnvelopeFrame, rival: EnvelopeFrame): bigint =>
  (rival.fee * operations(frame)) / operations(rival) + 1n

/** Highest rate first; among equals the lower envelope hash, so that a replay gives the same order. */
export const byRate = (one: EnvelopeFrame, other: EnvelopeFrame): number => {
  const rate = compareRates(other, one)
  return rate !== 0 ? rate : one.hash < other.hash ? -1 : 1
}
