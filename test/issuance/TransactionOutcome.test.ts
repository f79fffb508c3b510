import { describe, expect, test } from "bun:test"
import { xdr } from "@stellar/stellar-sdk"
import { Option } from "effect"
import { decodeResult, readOutcome, transactionCode } from "../../src/issuance/TransactionOutcome.ts"

const { OperationResult, OperationResultTr, PaymentResult, TransactionResult, TransactionResultResult } = xdr

const encode = (result: xdr.TransactionResultResult, feeCharged = 300n) =>
  new TransactionResult({ feeCharged, result, ext: xdr.TransactionResultExt.v0() }).toXDR("base64")

const payment = (result: xdr.PaymentResult) => OperationResult.opInner(OperationResultTr.payment(result))

describe("the outcome of an included transaction", () => {
  test("success pays every operation", () => {
    const results = [payment(PaymentResult.paymentSuccess()), payment(PaymentResult.paymentSuccess())]
    expect(readOutcome(encode(TransactionResultResult.txSuccess(results)), 2, true)).toEqual({
      _tag: "Paid",
      feeStroops: 300n,
      balanceIds: [undefined, undefined],
    })
  })

  test("one failure names all the guilty, and only them", () => {
    const results = [
      payment(PaymentResult.paymentSuccess()),
      payment(PaymentResult.paymentNoTrust()),
      payment(PaymentResult.paymentNoDestination()),
      payment(PaymentResult.paymentLineFull()),
      payment(PaymentResult.paymentNotAuthorized()),
    ]
    const outcome = readOutcome(encode(TransactionResultResult.txFailed(results)), 5, false)
    expect(outcome).toEqual({
      _tag: "Failed",
      code: "tx_failed",
      feeStroops: 300n,
      fates: [
        { _tag: "Good" },
        { _tag: "Recipient", reason: "no_trustline", code: "op_no_trust" },
        { _tag: "Recipient", reason: "no_account", code: "op_no_destination" },
        { _tag: "Recipient", reason: "limit_exceeded", code: "op_line_full" },
        { _tag: "Recipient", reason: "not_authorized", code: "op_not_authorized" },
      ],
    })
  })

  test("what the distribution account lacks is never the recipient's fault", () => {
    const results = [
      payment(PaymentResult.paymentUnderfunded()),
      payment(PaymentResult.paymentSrcNoTrust()),
      payment(PaymentResult.paymentSrcNotAuthorized()),
      OperationResult.opBadAuth(),
      OperationResult.opNoAccount(),
    ]
    const outcome = readOutcome(encode(TransactionResultResult.txFailed(results)), 5, false)
    if (outcome._tag !== "Failed") throw new Error("expected a failure")
    expect(outcome.fates.map((fate) => fate._tag)).toEqual([
      "Program",
      "Program",
      "Program",
      "Program",
      "Program",
    ])
  })

  test("a failure of the transaction itself is the program's", () => {
    const outcome = readOutcome(encode(TransactionResultResult.txBadAuth()), 2, false)
    expect(outcome).toEqual({
      _tag: "Failed",
      code: "tx_bad_auth",
      feeStroops: 300n,
      fates: [
        { _tag: "Program", code: "tx_bad_auth" },
        { _tag: "Program", code: "tx_bad_auth" },
      ],
    })
  })

  test("codes are written as Horizon writes them", () => {
    const codeOf = (text: string) => Option.map(Option.fromUndefinedOr(decodeResult(text)), transactionCode)
    expect(codeOf(encode(TransactionResultResult.txBadSeq()))).toEqual(Option.some("tx_bad_seq"))
    expect(codeOf(encode(TransactionResultResult.txInsufficientFee()))).toEqual(
      Option.some("tx_insufficient_fee"),
    )
    expect(codeOf("!!")).toEqual(Option.none())
  })
})
