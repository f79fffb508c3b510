/** Transaction results as XDR (stellar-core src/transactions/MutableTransactionResult.cpp). */
import { xdr } from "@stellar/stellar-sdk"
import { bytesOf } from "./Codec.ts"
import type { EnvelopeFrame, OperationFrame } from "./Frame.ts"
import { NOT_SUPPORTED } from "./Operations.ts"
import { makeXdrWriter } from "./XdrWriter.ts"

/** Codes of the innermost transaction's result. */
export type InnerCode = Exclude<
  xdr.TransactionResultResultVariantName,
  "txFeeBumpInnerSuccess" | "txFeeBumpInnerFailed"
>

/** What became of a transaction; `outer` is set when the fee bump itself was refused. */
export interface Verdict {
  readonly code: InnerCode
  readonly outer: boolean
  /** Stroops. For a refusal: what core states in feeCharged, which for an insufficient fee is the minimum. */
  readonly feeCharged: bigint
  /** One for each operation for txSUCCESS and txFAILED, otherwise ignored. */
  readonly operations: ReadonlyArray<xdr.OperationResult>
}

type VoidCode = Exclude<InnerCode, "txSuccess" | "txFailed">

const outerResult = (verdict: Verdict): xdr.TransactionResultResult => {
  switch (verdict.code) {
    case "txSuccess":
      return xdr.TransactionResultResult.txSuccess([...verdict.operations])
    case "txFailed":
      return xdr.TransactionResultResult.txFailed([...verdict.operations])
    default:
      return xdr.TransactionResultResult[verdict.code satisfies VoidCode]()
  }
}

/** InnerTransactionResult lacks txFEE_BUMP_*; everything else is there. */
const innerResult = (verdict: Verdict): xdr.InnerTransactionResultResult => {
  switch (verdict.code) {
    case "txSuccess":
      return xdr.InnerTransactionResultResult.txSuccess([...verdict.operations])
    case "txFailed":
      return xdr.InnerTransactionResultResult.txFailed([...verdict.operations])
    default:
      return xdr.InnerTransactionResultResult[verdict.code satisfies VoidCode]()
  }
}

const resultOf = (feeCharged: bigint, result: xdr.TransactionResultResult): xdr.TransactionResult =>
  new xdr.TransactionResult({ feeCharged, result, ext: xdr.TransactionResultExt.v0() })

export const transactionResult = (frame: EnvelopeFrame, verdict: Verdict): xdr.TransactionResult => {
  if (!frame.feeBump || verdict.outer) return resultOf(verdict.feeCharged, outerResult(verdict))
  const pair = new xdr.InnerTransactionResultPair({
    transactionHash: bytesOf(frame.inner.hash),
    // The inner transaction charges nothing: since protocol 25 its result says so
    // (FeeBumpTransactionFrame::processFeeSeqNum).
    result: new xdr.InnerTransactionResult({
      feeCharged: 0n,
      result: innerResult(verdict),
      ext: xdr.InnerTransactionResultExt.v0(),
    }),
  })
  return resultOf(
    verdict.feeCharged,
    verdict.code === "txSuccess"
      ? xdr.TransactionResultResult.txFeeBumpInnerSuccess(pair)
      : xdr.TransactionResultResult.txFeeBumpInnerFailed(pair),
  )
}

const knownBytes = new WeakMap<xdr.OperationResult, Uint8Array>()

/** Most operations of a ledger share one result, so its bytes are made once. */
const operationResultBytes = (result: xdr.OperationResult): Uint8Array => {
  const known = knownBytes.get(result)
  if (known !== undefined) return known
  const made = result.toXdr()
  knownBytes.set(result, made)
  return made
}

const shared = makeXdrWriter()

/**
 * `transactionResult` as XDR. That of an applied plain transaction, of which a ledger has up to a thousand, is
 * written without an object: fee, code (txSUCCESS is 0, txFAILED -1), results, ext (Stellar-transaction.x).
 */
export const transactionResultBytes = (frame: EnvelopeFrame, verdict: Verdict): Uint8Array => {
  const { code, feeCharged, operations } = verdict
  if (frame.feeBump || (code !== "txSuccess" && code !== "txFailed")) {
    return transactionResult(frame, verdict).toXdr()
  }
  shared.clear()
  shared.i64(feeCharged)
  shared.u32(code === "txSuccess" ? 0 : 0xffffffff)
  shared.u32(operations.length)
  for (const result of operations) shared.fixed(operationResultBytes(result))
  shared.u32(0)
  return shared.copy()
}

const inner = xdr.OperationResult.opInner
const Tr = xdr.OperationResultTr

/**
 * What an operation's result holds before it is validated or applied: opINNER with its type and code 0, so
 * that is what the operations behind the first invalid one show (MutableTransactionResult's constructor).
 */
const INITIAL: Partial<Record<xdr.OperationBody["type"], xdr.OperationResult>> = {
  createAccount: inner(Tr.createAccount(xdr.CreateAccountResult.createAccountSuccess())),
  payment: inner(Tr.payment(xdr.PaymentResult.paymentSuccess())),
  setOptions: inner(Tr.setOptions(xdr.SetOptionsResult.setOptionsSuccess())),
  changeTrust: inner(Tr.changeTrust(xdr.ChangeTrustResult.changeTrustSuccess())),
  allowTrust: inner(Tr.allowTrust(xdr.AllowTrustResult.allowTrustSuccess())),
  accountMerge: inner(Tr.accountMerge(xdr.AccountMergeResult.accountMergeSuccess(0n))),
  manageData: inner(Tr.manageData(xdr.ManageDataResult.manageDataSuccess())),
  bumpSequence: inner(Tr.bumpSequence(xdr.BumpSequenceResult.bumpSequenceSuccess())),
  createClaimableBalance: inner(
    Tr.createClaimableBalance(
      xdr.CreateClaimableBalanceResult.createClaimableBalanceSuccess(
        xdr.ClaimableBalanceId.claimableBalanceIdTypeV0(new Uint8Array(32)),
      ),
    ),
  ),
  claimClaimableBalance: inner(
    Tr.claimClaimableBalance(xdr.ClaimClaimableBalanceResult.claimClaimableBalanceSuccess()),
  ),
  beginSponsoringFutureReserves: inner(
    Tr.beginSponsoringFutureReserves(
      xdr.BeginSponsoringFutureReservesResult.beginSponsoringFutureReservesSuccess(),
    ),
  ),
  endSponsoringFutureReserves: inner(
    Tr.endSponsoringFutureReserves(
      xdr.EndSponsoringFutureReservesResult.endSponsoringFutureReservesSuccess(),
    ),
  ),
  revokeSponsorship: inner(Tr.revokeSponsorship(xdr.RevokeSponsorshipResult.revokeSponsorshipSuccess())),
  clawback: inner(Tr.clawback(xdr.ClawbackResult.clawbackSuccess())),
  clawbackClaimableBalance: inner(
    Tr.clawbackClaimableBalance(xdr.ClawbackClaimableBalanceResult.clawbackClaimableBalanceSuccess()),
  ),
  setTrustLineFlags: inner(Tr.setTrustLineFlags(xdr.SetTrustLineFlagsResult.setTrustLineFlagsSuccess())),
}

export const initialResult = (operation: OperationFrame): xdr.OperationResult =>
  INITIAL[operation.body.type] ?? NOT_SUPPORTED.result
