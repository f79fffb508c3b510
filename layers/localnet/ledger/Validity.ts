/**
 * Whether a transaction may be included: it stops at the first error and consumes nothing
 * (stellar-core src/transactions/TransactionFrame.cpp commonValid, checkValid; FeeBumpTransactionFrame.cpp).
 */
import type { xdr } from "@stellar/stellar-sdk"
import { SignerType } from "./Codec.ts"
import { type AccountState, INT64_MAX } from "./Entries.ts"
import type { EnvelopeFrame, OperationFrame, TransactionFrame } from "./Frame.ts"
import { BAD_AUTH, NO_ACCOUNT, type Outcome } from "./Operations.ts"
import { rulesOf } from "./OperationTable.ts"
import { availableBalance, type LedgerTerms } from "./Reserves.ts"
import { type InnerCode, initialResult, type Verdict } from "./Results.ts"
import { makeSignatureChecker, type SignatureChecker } from "./Signatures.ts"
import type { LedgerState } from "./State.ts"

export interface ValidationContext {
  readonly state: LedgerState
  readonly terms: LedgerTerms
  /** Close times that the transaction has to be valid for: one and the same but in the queue. */
  readonly earliestClose: bigint
  readonly latestClose: bigint
}

/** How far validation came (TransactionFrame::ValidationType): what apply still has to do follows from it. */
export type Reached = "invalid" | "updateSequence" | "postAuth" | "maybeValid"

export interface CommonValidity {
  readonly reached: Reached
  readonly code: InnerCode
}

const stop = (reached: Reached, code: InnerCode): CommonValidity => ({ reached, code })

export const minimumFee = (frame: EnvelopeFrame, terms: LedgerTerms): bigint =>
  terms.baseFee * BigInt(Math.max(1, frame.operationCount))

const SOROBAN: ReadonlySet<xdr.OperationBody["type"]> = new Set([
  "invokeHostFunction",
  "extendFootprintTtl",
  "restoreFootprint",
])

const isSoroban = (transaction: TransactionFrame): boolean =>
  transaction.operations.some((operation) => SOROBAN.has(operation.body.type))

/** commonValidPreSeqNum, up to the time bounds: what does not depend on any account. */
const malformed = (transaction: TransactionFrame): InnerCode | undefined => {
  const { extraSigners } = transaction.conditions
  if (extraSigners.length === 2 && extraSigners[0] === extraSigners[1]) return "txMalformed"
  if (extraSigners.some((key) => key.startsWith(SignerType.signedPayload) && key.length === 72)) {
    return "txMalformed"
  }
  if (transaction.operations.length === 0) return "txMissingOperation"
  if (isSoroban(transaction)) {
    // validateSorobanOpsConsistency: alone in its transaction, with its resources stated.
    return transaction.operations.length === 1 && transaction.sorobanData ? undefined : "txMalformed"
  }
  return transaction.sorobanData ? "txMalformed" : undefined
}

const outsideBounds = (transaction: TransactionFrame, context: ValidationContext): InnerCode | undefined => {
  const { minTime, maxTime, minLedger, maxLedger } = transaction.conditions
  const { sequence } = context.terms
  if (minTime > context.earliestClose || minLedger > sequence) return "txTooEarly"
  if (maxTime !== 0n && maxTime < context.latestClose) return "txTooLate"
  return maxLedger !== 0 && maxLedger <= sequence ? "txTooLate" : undefined
}

const isBadSequence = (transaction: TransactionFrame, current: bigint, terms: LedgerTerms): boolean => {
  const { sequence } = transaction
  const { minSequence } = transaction.conditions
  if (sequence === BigInt(terms.sequence) << 32n) return true
  if (minSequence !== null) return current < minSequence || current >= sequence
  return current === INT64_MAX || current + 1n !== sequence
}

/** isTooEarlyForAccount: the account's sequence must have rested long enough (CAP-21). */
const isTooEarlyForAccount = (
  transaction: TransactionFrame,
  account: AccountState,
  context: ValidationContext,
): boolean => {
  const { minSequenceAge, minSequenceLedgerGap } = transaction.conditions
  const { earliestClose } = context
  const { sequence } = context.terms
  if (minSequenceAge > earliestClose || earliestClose - minSequenceAge < account.sequenceTime) return true
  return minSequenceLedgerGap > sequence || sequence - minSequenceLedgerGap < account.sequenceLedger
}

/**
 * commonValid.
 * @param fee what the source still has to be able to pay above its reserve; null inside a fee bump, where
 *   the inner transaction's fee plays no role
 */
export const commonValid = (
  transaction: TransactionFrame,
  checker: SignatureChecker,
  context: ValidationContext,
  fee: { readonly offered: bigint; readonly minimum: bigint; readonly toPay: bigint } | null,
): CommonValidity => {
  const early = malformed(transaction) ?? outsideBounds(transaction, context)
  if (early !== undefined) return stop("invalid", early)
  if (fee !== null && fee.offered < fee.minimum) return stop("invalid", "txInsufficientFee")
  const account = context.state.account(transaction.source)
  if (account === undefined) return stop("invalid", "txNoAccount")
  if (isBadSequence(transaction, account.sequence, context.terms)) return stop("invalid", "txBadSeq")
  if (isTooEarlyForAccount(transaction, account, context))
    return stop("updateSequence", "txBadMinSeqAgeOrGap")
  const signed =
    checker.checkAccount(account, account.thresholds[1]) &&
    transaction.conditions.extraSigners.every((key) => checker.check([{ key, weight: 1 }], 1))
  if (!signed) return stop("updateSequence", "txBadAuth")
  if (fee !== null && availableBalance(account, context.terms) < fee.toPay) {
    return stop("postAuth", "txInsufficientBalance")
  }
  return stop("maybeValid", "txSuccess")
}

/** OperationFrame::checkSignature with forApply = false; undefined when the operation is authorised. */
export const checkOperationSignature = (
  operation: OperationFrame,
  checker: SignatureChecker,
  state: LedgerState,
): Outcome | undefined => {
  const account = state.account(operation.source)
  if (account !== undefined) {
    const needed = account.thresholds[rulesOf(operation).threshold]
    return checker.checkAccount(account, needed) ? undefined : BAD_AUTH
  }
  if (!operation.ownSource) return NO_ACCOUNT
  // The account may come into being before the operation applies: its own key has to have signed.
  const signer = { key: SignerType.ed25519 + operation.source, weight: 1 }
  return checker.check([signer], 0) ? undefined : BAD_AUTH
}

const failedAt = (
  transaction: TransactionFrame,
  index: number,
  outcome: Outcome,
): ReadonlyArray<xdr.OperationResult> =>
  transaction.operations.map((operation) =>
    operation.index === index ? outcome.result : initialResult(operation),
  )

/** checkValidWithOptionallyChargedFee: the transaction alone, or inside a fee bump (fee null). */
const checkTransaction = (
  transaction: TransactionFrame,
  context: ValidationContext,
  feeCharged: bigint,
  fee: Parameters<typeof commonValid>[3],
): Verdict => {
  const verdict = (code: InnerCode, operations: ReadonlyArray<xdr.OperationResult> = []): Verdict => ({
    code,
    outer: false,
    feeCharged,
    operations,
  })
  const checker = makeSignatureChecker(transaction.hashBytes, transaction.signatures)
  const common = commonValid(transaction, checker, context, fee)
  if (common.reached !== "maybeValid") return verdict(common.code)
  for (const operation of transaction.operations) {
    const rules = rulesOf(operation)
    const wrong =
      rules.unsupported ?? checkOperationSignature(operation, checker, context.state) ?? rules.check()
    if (wrong !== undefined) return verdict("txFailed", failedAt(transaction, operation.index, wrong))
  }
  return checker.allUsed()
    ? verdict("txSuccess", transaction.operations.map(initialResult))
    : verdict("txBadAuthExtra")
}

/** FeeBumpTransactionFrame::commonValid and its pre-sequence part; undefined when the bump itself is fine. */
const checkFeeBump = (frame: EnvelopeFrame, context: ValidationContext): Verdict | undefined => {
  const { state, terms } = context
  const minimum = minimumFee(frame, terms)
  const refuse = (code: InnerCode, feeCharged = minimum): Verdict => ({
    code,
    outer: true,
    feeCharged,
    operations: [],
  })
  if (frame.fee < minimum) return refuse("txInsufficientFee")
  // The bump has to bid at least the inner transaction's rate (CAP-15).
  const innerMinimum = terms.baseFee * BigInt(Math.max(1, frame.inner.operations.length))
  const offered = frame.fee * innerMinimum
  const needed = frame.inner.fee * minimum
  if (offered < needed) return refuse("txInsufficientFee", (needed + innerMinimum - 1n) / innerMinimum)
  const account = state.account(frame.feeSource)
  if (account === undefined) return refuse("txNoAccount")
  const checker = makeSignatureChecker(frame.hashBytes, frame.signatures)
  if (!checker.checkAccount(account, account.thresholds[1])) return refuse("txBadAuth")
  if (availableBalance(account, terms) < frame.fee) return refuse("txInsufficientBalance")
  return checker.allUsed() ? undefined : refuse("txBadAuthExtra")
}

/** checkValid: txSUCCESS in the verdict means that the transaction may be included. */
export const checkValid = (frame: EnvelopeFrame, context: ValidationContext): Verdict => {
  const minimum = minimumFee(frame, context.terms)
  if (!frame.feeBump) {
    const fee = { offered: frame.fee, minimum, toPay: frame.fee }
    return checkTransaction(frame.inner, context, minimum, fee)
  }
  if (frame.fee < 0n) return { code: "txMalformed", outer: true, feeCharged: 0n, operations: [] }
  return checkFeeBump(frame, context) ?? checkTransaction(frame.inner, context, minimum, null)
}
