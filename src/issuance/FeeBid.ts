/**
 * What an envelope offers for its place in a ledger. Pure; every fee is in stroops.
 *
 * A bid is a ceiling, not a price: a ledger charges its base fee unless it is full, and then the lowest rate that it
 * took (CAP-5). So a bid follows what was lately charged, and the cap bounds what one operation may cost us.
 *
 * Rates are compared as stellar-core does, by cross multiplication: a division would round, and a bid that is one
 * stroop short waits for ever. Invariant: no answer of this module costs more than the cap for any operation.
 */

/** Lately charged for one operation, in stroops (RPC's getFeeStats). */
export interface ChargedFees {
  readonly p90Stroops: bigint
}

/** As in IssuanceSettings. */
export interface FeeLimits {
  /** Lowest bid for an operation, in stroops. */
  readonly baseFeeStroops: number
  /** Highest fee for an operation, in stroops. */
  readonly feeStroopsMax: number
}

/** A whole fee for so many operations: what an envelope offers, or what a refusal asked for. */
export interface OfferedFee {
  readonly feeStroops: bigint
  /** As the network counts them: a fee bump has one more than the transaction inside (CAP-15). */
  readonly operations: number
}

/** TransactionQueue::FEE_MULTIPLIER (stellar-core, src/herder/TransactionQueue.cpp). */
const REPLACE_MULTIPLIER = 10n

const greatest = (first: bigint, ...others: ReadonlyArray<bigint>): bigint =>
  others.reduce((most, one) => (one > most ? one : most), first)

/** The smallest whole fee for `operations` whose rate is at least `times` that of `offered`. */
const feeAtRate = ({ feeStroops, operations: offeredFor }: OfferedFee, operations: bigint, times = 1n) => {
  const divisor = BigInt(Math.max(1, offeredFor))
  return (feeStroops * times * operations + divisor - 1n) / divisor
}

/**
 * Whether ledgers have lately been so full that our lowest bid could have lost. Up to twice the floor is not taken for
 * one: RPC divides what a fee bump was charged by the operations inside, so that in quiet times a bump of a single
 * operation counts as 200 stroops (stellar-rpc, internal/feewindow/feewindow.go).
 */
export const isSurging = (charged: ChargedFees, limits: FeeLimits): boolean =>
  charged.p90Stroops > 2n * BigInt(limits.baseFeeStroops)

/**
 * Bid of a new envelope for each operation: one stroop above what nine of ten transactions were charged (a tie is
 * decided by hash, core's TxSetFrame), at least the floor, and never above the cap. A bid that is higher than needed
 * costs nothing by itself, but a fee bump has to offer ten times as much: above a tenth of the cap there is none.
 */
export const bidForOperation = (charged: ChargedFees, limits: FeeLimits): bigint => {
  const cap = BigInt(limits.feeStroopsMax)
  const floor = BigInt(limits.baseFeeStroops)
  const bid = charged.p90Stroops > floor ? charged.p90Stroops + 1n : floor
  return bid < cap ? bid : cap
}

/**
 * Operations for a new batch. A fee bump of 100 counts as 101, of which a ledger of 1,000 holds nine; so a batch that
 * may have to be bumped carries 99, of which it holds ten.
 */
export const operationsForBatch = (
  charged: ChargedFees,
  limits: FeeLimits,
  /** What a batch carries at most, 1 to 100. */
  operationsMax: number,
): number => (isSurging(charged, limits) ? Math.min(operationsMax, 99) : operationsMax)

export interface BumpPlan {
  /** Operations of the transaction inside, 1 to 100. */
  readonly innerOperations: number
  /**
   * What was offered so far at this sequence, the inner transaction's own offer included. The queue replaces the one
   * that waits there only for ten times its rate; which one waits on which node is not known, so all are beaten.
   */
  readonly offered: ReadonlyArray<OfferedFee>
  /** What a tx_insufficient_fee stated in feeCharged, for the operations of the envelope that it refused. */
  readonly refusals: ReadonlyArray<OfferedFee>
  readonly charged: ChargedFees
  readonly limits: FeeLimits
}

/**
 * The whole fee of a fee bump over a transaction: at least ten times the rate of every earlier offer at its sequence
 * (core's canReplaceByFee: newFee * oldOps >= 10 * oldFee * newOps), what refusals asked for, and the present bid.
 * That is also more than CAP-15 demands, the inner transaction's rate. None when it would pass the cap.
 */
export const bumpFee = (plan: BumpPlan): bigint | undefined => {
  const operations = BigInt(plan.innerOperations + 1)
  const fee = greatest(
    bidForOperation(plan.charged, plan.limits) * operations,
    ...plan.offered.map((offer) => feeAtRate(offer, operations, REPLACE_MULTIPLIER)),
    ...plan.refusals.map((refusal) => feeAtRate(refusal, operations)),
  )
  return fee <= BigInt(plan.limits.feeStroopsMax) * operations ? fee : undefined
}
