/**
 * Which of the waiting transactions the next ledger takes (stellar-core src/herder/TxSetFrame.cpp
 * makeTxSetFromTransactions, src/herder/SurgePricingUtils.cpp getMostTopTxsWithinLimits).
 */
import type { AccountKey } from "../ledger/Entries.ts"
import type { EnvelopeFrame } from "../ledger/Frame.ts"
import { availableBalance, type LedgerTerms } from "../ledger/Reserves.ts"
import type { LedgerState } from "../ledger/State.ts"
import { inHashOrder, type TransactionSet } from "../ledger/TransactionSet.ts"
import { byRate, perOperationFee } from "./SurgePricing.ts"

/**
 * Those whose payers can pay all the fees that they have offered together: an account's balance may have
 * fallen since its transactions were queued (TxSetUtils::getInvalidTxList, src/herder/TxSetUtils.cpp).
 */
export const payable = (
  frames: ReadonlyArray<EnvelopeFrame>,
  state: LedgerState,
  terms: LedgerTerms,
): ReadonlyArray<EnvelopeFrame> => {
  const offered = new Map<AccountKey, bigint>()
  for (const { feeSource, fee } of frames) offered.set(feeSource, (offered.get(feeSource) ?? 0n) + fee)
  const isPayable = ({ feeSource }: EnvelopeFrame): boolean => {
    const account = state.account(feeSource)
    return account !== undefined && availableBalance(account, terms) >= (offered.get(feeSource) ?? 0n)
  }
  return frames.filter(isPayable)
}

/**
 * Takes the highest bids first while operations are left; a transaction that no longer fits is passed over.
 * Everybody pays the network's base fee, unless somebody had to be left out: then the lowest rate taken.
 */
export const chooseSet = (
  candidates: ReadonlyArray<EnvelopeFrame>,
  operationsMax: number,
  baseFee: bigint,
): TransactionSet => {
  const taken: Array<EnvelopeFrame> = []
  let left = operationsMax
  for (const frame of candidates.toSorted(byRate)) {
    if (frame.operationCount > left) continue
    left -= frame.operationCount
    taken.push(frame)
  }
  const surge = taken.length < candidates.length
  const lowest = taken.reduce<bigint | undefined>((least, frame) => {
    const rate = perOperationFee(frame)
    return least === undefined || rate < least ? rate : least
  }, undefined)
  return { frames: inHashOrder(taken), baseFee: surge && lowest !== undefined ? lowest : baseFee }
}
