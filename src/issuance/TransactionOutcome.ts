/**
 * What an applied transaction's result says about each payment of its batch. Pure, and a table: one failed
 * operation fails the whole transaction, and core reports every operation all the same, so a single failure names
 * all the recipients to leave out.
 *
 * Sources: stellar-core `TransactionFrame::applyOperations`; Stellar-transaction.x (PaymentResultCode,
 * OperationResultCode, TransactionResultCode); https://developers.stellar.org/docs/data/apis/horizon/api-reference/errors/result-codes
 */
import { xdr } from "@stellar/stellar-sdk"
import { Option } from "effect"
import type { RpcSubmission } from "../ports/SorobanRpc.ts"
import type { IssuanceReason } from "./Issuance.ts"

/** Whose fault an operation's failure is: the recipient's (this one ends), or the program's (all of it pauses). */
export type PaymentFate =
  | { readonly _tag: "Good" }
  | { readonly _tag: "Recipient"; readonly reason: IssuanceReason; readonly code: string }
  | { readonly _tag: "Program"; readonly code: string }

export type TransactionOutcome =
  /** Applied: operation i paid payment i. */
  | { readonly _tag: "Paid"; readonly feeStroops: bigint }
  /** Included without success: fee and sequence are gone, nothing was paid. One fate for each operation. */
  | {
      readonly _tag: "Failed"
      readonly code: string
      readonly feeStroops: bigint
      readonly fates: ReadonlyArray<PaymentFate>
    }

const good: PaymentFate = { _tag: "Good" }
const recipient = (reason: IssuanceReason, code: string): PaymentFate => ({ _tag: "Recipient", reason, code })
const program = (code: string): PaymentFate => ({ _tag: "Program", code })

const PAYMENT: Record<xdr.PaymentResult["type"], PaymentFate> = {
  paymentSuccess: good,
  paymentNoDestination: recipient("no_account", "op_no_destination"),
  paymentNoTrust: recipient("no_trustline", "op_no_trust"),
  paymentNotAuthorized: recipient("not_authorized", "op_not_authorized"),
  paymentLineFull: recipient("limit_exceeded", "op_line_full"),
  // Accept checks address and amount, so a malformed payment is that one request's own; it must not stop others.
  paymentMalformed: recipient("rejected_by_network", "op_malformed"),
  paymentUnderfunded: program("op_underfunded"),
  paymentSrcNoTrust: program("op_src_no_trust"),
  paymentSrcNotAuthorized: program("op_src_not_authorized"),
  paymentNoIssuer: program("op_no_issuer"),
}

const OPERATION: Record<Exclude<xdr.OperationResult["type"], "opInner">, PaymentFate> = {
  opBadAuth: program("op_bad_auth"),
  opNoAccount: program("op_no_source_account"),
  opNotSupported: program("op_not_supported"),
  opTooManySubentries: program("op_too_many_subentries"),
  opExceededWorkLimit: program("op_exceeded_work_limit"),
  opTooManySponsoring: program("op_too_many_sponsoring"),
}

const fateOf = (operation: xdr.OperationResult): PaymentFate => {
  if (operation.type !== "opInner") return OPERATION[operation.type]
  const inner = operation.value
  return inner.type === "payment" ? PAYMENT[inner.paymentResult.type] : program("op_unexpected_type")
}

/** "txBadSeq" -> "tx_bad_seq", as Horizon and the error tables write it. */
export const transactionCode = (result: xdr.TransactionResult): string =>
  result.result.type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The code of a TransactionResult in base64 XDR, or "undecodable" where it is none. */
export const resultCode = (resultXdr: string): string => {
  try {
    return transactionCode(xdr.TransactionResult.fromXDR(resultXdr, "base64"))
  } catch {
    return "undecodable"
  }
}

/** What the network said to a sending, for logs and for the envelope's row: "ERROR tx_bad_seq". */
export const describeSubmission = ({ errorResultXdr, status }: RpcSubmission): string =>
  Option.isSome(errorResultXdr) ? `${status} ${resultCode(errorResultXdr.value)}` : status

/** Reads the TransactionResult (base64 XDR) of an included transaction of `payments` operations. */
export const readOutcome = (resultXdr: string, payments: number): TransactionOutcome => {
  const result = xdr.TransactionResult.fromXDR(resultXdr, "base64")
  const inner = result.result
  const feeStroops = result.feeCharged
  if (inner.type === "txSuccess") return { _tag: "Paid", feeStroops }
  if (inner.type === "txFailed" && inner.results.length === payments) {
    return { _tag: "Failed", code: "tx_failed", feeStroops, fates: inner.results.map(fateOf) }
  }
  const code = transactionCode(result)
  return { _tag: "Failed", code, feeStroops, fates: Array.from({ length: payments }, () => program(code)) }
}
