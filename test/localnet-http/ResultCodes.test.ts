import { describe, expect, test } from "bun:test"
import { xdr } from "@stellar/stellar-sdk"
import { operationResultCode, resultCodes } from "../../layers/localnet/horizon/ResultCodes.ts"

/** The names are those of services/horizon/internal/codes/main.go (`codes.String`). */
describe("result codes as Horizon names them", () => {
  const operation = (tr: xdr.OperationResultTr) => operationResultCode(xdr.OperationResult.opInner(tr))
  const { OperationResultTr: Tr } = xdr

  test("operations", () => {
    expect(operation(Tr.payment(xdr.PaymentResult.paymentNoTrust()))).toBe("op_no_trust")
    expect(operation(Tr.payment(xdr.PaymentResult.paymentUnderfunded()))).toBe("op_underfunded")
    expect(operation(Tr.payment(xdr.PaymentResult.paymentSrcNoTrust()))).toBe("op_src_no_trust")
    expect(operation(Tr.createAccount(xdr.CreateAccountResult.createAccountAlreadyExist()))).toBe(
      "op_already_exists",
    )
    expect(operation(Tr.allowTrust(xdr.AllowTrustResult.allowTrustNoTrustLine()))).toBe("op_no_trust")
    expect(operation(Tr.manageData(xdr.ManageDataResult.manageDataNameNotFound()))).toBe(
      "op_data_name_not_found",
    )
  })

  test("Horizon's own spelling of CHANGE_TRUST_NOT_AUTH_MAINTAIN_LIABILITIES", () => {
    expect(operation(Tr.changeTrust(xdr.ChangeTrustResult.changeTrustNotAuthMaintainLiabilities()))).toBe(
      "op_not_aut_maintain_liabilities",
    )
  })

  test("results that come before an operation's own", () => {
    expect(operationResultCode(xdr.OperationResult.opBadAuth())).toBe("op_bad_auth")
    expect(operationResultCode(xdr.OperationResult.opNoAccount())).toBe("op_no_source_account")
  })

  test("the RPC documentation's example of an ERROR is a bad sequence number", () => {
    // errorResultXdr of sendTransaction's "Error Transaction" example in the OpenRPC description.
    const result = xdr.TransactionResult.fromXdr("AAAAAAAAAGT////7AAAAAA==", "base64")
    expect(resultCodes(result)).toEqual({ transaction: "tx_bad_seq" })
  })

  test("the RPC documentation's example of a failed payment has no destination", () => {
    // resultXdr of getTransaction's "Failed Transaction" example: PAYMENT, PAYMENT_NO_DESTINATION (-5).
    const result = xdr.TransactionResult.fromXdr("AAAAAAAAAGT/////AAAAAQAAAAAAAAAB////+wAAAAA=", "base64")
    expect(resultCodes(result)).toEqual({ transaction: "tx_failed", operations: ["op_no_destination"] })
  })

  test("friendbot's createAccountAlreadyExist", () => {
    // services/friendbot/internal/minion.go, createAccountAlreadyExistXDR.
    const result = xdr.TransactionResult.fromXdr("AAAAAAAAAGT/////AAAAAQAAAAAAAAAA/////AAAAAA=", "base64")
    expect(resultCodes(result)).toEqual({ transaction: "tx_failed", operations: ["op_already_exists"] })
  })

  test("a fee bump names both transactions", () => {
    const inner = new xdr.InnerTransactionResultPair({
      transactionHash: new Uint8Array(32),
      result: new xdr.InnerTransactionResult({
        feeCharged: 0n,
        result: xdr.InnerTransactionResultResult.txFailed([
          xdr.OperationResult.opInner(Tr.payment(xdr.PaymentResult.paymentSuccess())),
          xdr.OperationResult.opInner(Tr.payment(xdr.PaymentResult.paymentLineFull())),
        ]),
        ext: xdr.InnerTransactionResultExt.v0(),
      }),
    })
    const result = new xdr.TransactionResult({
      feeCharged: 300n,
      result: xdr.TransactionResultResult.txFeeBumpInnerFailed(inner),
      ext: xdr.TransactionResultExt.v0(),
    })
    expect(resultCodes(result)).toEqual({
      transaction: "tx_fee_bump_inner_failed",
      inner_transaction: "tx_failed",
      operations: ["op_success", "op_line_full"],
    })
  })

  test("every result of every operation that this network applies has a name", () => {
    const kinds = [
      xdr.CreateAccountResult,
      xdr.PaymentResult,
      xdr.SetOptionsResult,
      xdr.ChangeTrustResult,
      xdr.AllowTrustResult,
      xdr.AccountMergeResult,
      xdr.ManageDataResult,
      xdr.BumpSequenceResult,
      xdr.BeginSponsoringFutureReservesResult,
      xdr.EndSponsoringFutureReservesResult,
      xdr.RevokeSponsorshipResult,
      xdr.CreateClaimableBalanceResult,
      xdr.ClaimClaimableBalanceResult,
      xdr.ClawbackResult,
      xdr.ClawbackClaimableBalanceResult,
      xdr.SetTrustLineFlagsResult,
    ]
    const variants = kinds.flatMap((kind) =>
      Object.getOwnPropertyNames(kind).filter(
        (name) => /^[a-z]+[A-Z]/.test(name) && name !== "fromXdrObject",
      ),
    )
    expect(variants).toContain("paymentNoTrust")
    const nameless = variants.filter((variant) => {
      const result = { type: "opInner", tr: { value: { type: variant } } } as unknown as xdr.OperationResult
      try {
        return !operationResultCode(result).startsWith("op_")
      } catch {
        return true
      }
    })
    // Of frozen ledger keys, which this network has not; Horizon's table has no name for it either.
    expect(nameless).toEqual(["claimClaimableBalanceTrustlineFrozen"])
  })
})
