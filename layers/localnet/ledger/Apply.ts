/**
 * Applying an included transaction, in core's phases: fees of the whole ledger first, then each transaction's
 * sequence and signatures, then its operations, all of them even after one failed
 * (stellar-core src/transactions/TransactionFrame.cpp processFeeSeqNum, apply, applyOperations).
 */
import type { xdr } from "@stellar/stellar-sdk"
import { SignerType } from "./Codec.ts"
import type { AccountKey } from "./Entries.ts"
import type { EnvelopeFrame, TransactionFrame } from "./Frame.ts"
import { type ApplyContext, NO_ACCOUNT, type Outcome } from "./Operations.ts"
import { rulesOf } from "./OperationTable.ts"
import type { LedgerTerms } from "./Reserves.ts"
import { initialResult, type Verdict } from "./Results.ts"
import { makeSignatureChecker, type SignatureChecker } from "./Signatures.ts"
import { existing, removeSigner, signerPosition, withSequenceTime } from "./Sponsorship.ts"
import type { EntryChange, LedgerState } from "./State.ts"
import { checkOperationSignature, commonValid } from "./Validity.ts"

export interface AppliedChanges {
  readonly before: ReadonlyArray<EntryChange>
  /** One list for each operation; empty for a failed transaction, whose operations changed nothing. */
  readonly operations: ReadonlyArray<ReadonlyArray<EntryChange>>
}

export interface Applied {
  readonly verdict: Verdict
  readonly changes: AppliedChanges
}

/**
 * processFeeSeqNum: takes the fee, at most the balance, even below the reserve.
 * @param baseFee stroops for each operation in this ledger: above the header's base fee in a surge
 * @returns stroops charged
 */
export const chargeFee = (frame: EnvelopeFrame, state: LedgerState, baseFee: bigint): bigint => {
  const account = existing(state, frame.feeSource)
  const due = baseFee * BigInt(Math.max(1, frame.operationCount))
  const asked = frame.fee < due ? frame.fee : due
  const fee = account.balance < asked ? account.balance : asked
  state.put({ ...account, balance: account.balance - fee })
  return fee
}

/** processSeqNum. */
const consumeSequence = (transaction: TransactionFrame, state: LedgerState, terms: LedgerTerms): void => {
  const account = withSequenceTime(existing(state, transaction.source), terms)
  state.put({ ...account, sequence: transaction.sequence })
}

const removeOneTimeSigner = (state: LedgerState, hash: string, ids: Iterable<AccountKey>): void => {
  const key = SignerType.preAuthTx + hash
  for (const id of new Set(ids)) {
    const account = state.account(id)
    if (account === undefined) continue
    const at = signerPosition(account, key)
    if (account.signers[at]?.key === key) removeSigner(state, account, at)
  }
}

/** removeOneTimeSignerKeyFromFeeSource: core's meta shows the account even where there is nothing to remove. */
const visitFeeSource = (frame: EnvelopeFrame, state: LedgerState): ReadonlyArray<EntryChange> => {
  const account = state.account(frame.feeSource)
  if (account === undefined) return []
  state.begin()
  state.put(account)
  removeOneTimeSigner(state, frame.hash, [frame.feeSource])
  return state.commit()
}

function* sourcesOf(transaction: TransactionFrame): Generator<AccountKey> {
  yield transaction.source
  for (const operation of transaction.operations) yield operation.source
}

/** processSignatures: undefined when every operation is authorised and no signature is idle. */
const signatureVerdict = (
  transaction: TransactionFrame,
  checker: SignatureChecker,
  state: LedgerState,
  feeCharged: bigint,
): Verdict | undefined => {
  const wrong = transaction.operations.map((operation) => checkOperationSignature(operation, checker, state))
  removeOneTimeSigner(state, transaction.hash, sourcesOf(transaction))
  if (wrong.some((outcome) => outcome !== undefined)) {
    const operations = transaction.operations.map(
      (operation, index) => wrong[index]?.result ?? initialResult(operation),
    )
    return { code: "txFailed", outer: false, feeCharged, operations }
  }
  return checker.allUsed() ? undefined : { code: "txBadAuthExtra", outer: false, feeCharged, operations: [] }
}

const applyOne = (operation: TransactionFrame["operations"][number], context: ApplyContext): Outcome => {
  const rules = rulesOf(operation)
  if (rules.unsupported !== undefined) return rules.unsupported
  // An operation before this one may have created or merged its source.
  if (context.state.account(operation.source) === undefined) return NO_ACCOUNT
  return rules.check() ?? rules.apply(context)
}

/** An exception in an operation is a bug, and becomes txINTERNAL_ERROR rather than a halted network, as in core. */
const attempt = (apply: () => Outcome): Outcome | undefined => {
  try {
    return apply()
  } catch {
    return undefined
  }
}

/** applyOperations. */
const applyOperations = (
  transaction: TransactionFrame,
  context: ApplyContext,
  feeCharged: bigint,
): { readonly verdict: Verdict; readonly operations: AppliedChanges["operations"] } => {
  const { state, sponsorships } = context
  const results: Array<xdr.OperationResult> = []
  const changes: Array<ReadonlyArray<EntryChange>> = []
  let success = true
  state.begin()
  for (const operation of transaction.operations) {
    state.begin()
    const outcome = attempt(() => applyOne(operation, context))
    if (outcome === undefined) {
      state.rollback()
      state.rollback()
      const verdict: Verdict = { code: "txInternalError", outer: false, feeCharged, operations: [] }
      return { verdict, operations: [] }
    }
    results.push(outcome.result)
    if (outcome.ok) changes.push(state.commit())
    else state.rollback()
    success &&= outcome.ok
  }
  if (success && sponsorships.size === 0) {
    state.commit()
    return {
      verdict: { code: "txSuccess", outer: false, feeCharged, operations: results },
      operations: changes,
    }
  }
  state.rollback()
  const code = success ? "txBadSponsorship" : "txFailed"
  return { verdict: { code, outer: false, feeCharged, operations: results }, operations: [] }
}

/** Applies a transaction whose fee has been charged. */
export const applyTransaction = (
  frame: EnvelopeFrame,
  state: LedgerState,
  terms: LedgerTerms,
  feeCharged: bigint,
  sequencesInLedger: ReadonlyMap<AccountKey, bigint>,
): Applied => {
  const transaction = frame.inner
  const bump = frame.feeBump ? visitFeeSource(frame, state) : []
  state.begin()
  const checker = makeSignatureChecker(transaction.hashBytes, transaction.signatures)
  const context = { state, terms, earliestClose: terms.closeTime, latestClose: terms.closeTime }
  // The fee is paid already: only an account that it left below its reserve fails on it.
  const fee = frame.feeBump ? null : { offered: frame.fee, minimum: 0n, toPay: 0n }
  const common = commonValid(transaction, checker, context, fee)
  if (common.reached !== "invalid") consumeSequence(transaction, state, terms)
  if (common.reached !== "maybeValid") {
    removeOneTimeSigner(state, transaction.hash, sourcesOf(transaction))
    const verdict: Verdict = { code: common.code, outer: false, feeCharged, operations: [] }
    return { verdict, changes: { before: [...bump, ...state.commit()], operations: [] } }
  }
  const unsigned = signatureVerdict(transaction, checker, state, feeCharged)
  const before = [...bump, ...state.commit()]
  if (unsigned !== undefined) return { verdict: unsigned, changes: { before, operations: [] } }
  const operations = { state, terms, frame, sponsorships: new Map(), sequencesInLedger }
  const done = applyOperations(transaction, operations, feeCharged)
  return { verdict: done.verdict, changes: { before, operations: done.operations } }
}
