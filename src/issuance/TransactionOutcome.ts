/**
 * What an applied transaction's result says about each payment of its batch. Pure, and a table: one failed
 * operation fails the whole transaction, and core reports every operation all the same, so a single failure names
 * all the recipients to leave out.
 *
 * Sources: stellar-core `TransactionFrame::applyOperations`; Stellar-transaction.x (PaymentResultCode,
 * OperationResultCode, TransactionResultCode); https://developers.stellar.org/docs/data/apis/horizon/api-reference/errors/result-codes
 */
import { xdr } from "@stellar/stellar-sdk"
import type { IssuanceReason } from "./Issuance.ts"

/**
 * Whose fault an operation's failure is: the recipient's (this one ends), or the program's (all of it pauses). Or nobody's
 * but the treasury's, which has no XLM left to reserve a claimable balance: those wait, and payments go on.
 */
export type PaymentFate =
  | { readonly _tag: "Good" }
  | { readonly _tag: "Recipient"; readonly reason: IssuanceReason; readonly code: string }
  | { readonly _tag: "Program"; readonly code: string }
  | { readonly _tag: "Reserve"; readonly code: string }

export type TransactionOutcome =
  /** Applied: operation i paid payment i. */
  | {
      readonly _tag: "Paid"
      readonly feeStroops: bigint
      /** ClaimableBalanceID (hex XDR) of each operation that left one, undefined for payments. */
      readonly balanceIds: ReadonlyArray<string | undefined>
    }
  /** Included without success: fee and sequence are gone, nothing was paid. One fate for each operation. */
  | {
      readonly _tag: "Failed"
      readonly code: string
      readonly feeStroops: bigint
      readonly fates: ReadonlyArray<PaymentFate>
    }
  /** Included, but what it did cannot be told: nothing may be released or paid again on its word. */
  | { readonly _tag: "Unreadable"; readonly code: string }

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

/** The source's faults are those of a payment; the recipient has none: it need not even exist (CAP-23). */
const CLAIMABLE_BALANCE: Record<xdr.CreateClaimableBalanceResult["type"], PaymentFate> = {
  createClaimableBalanceSuccess: good,
  createClaimableBalanceMalformed: recipient("rejected_by_network", "op_malformed"),
  // XLM was counted before it was promised (XlmPromises.ts); somebody else has spent it since.
  createClaimableBalanceLowReserve: { _tag: "Reserve", code: "op_low_reserve" },
  createClaimableBalanceNoTrust: program("op_src_no_trust"),
  createClaimableBalanceNotAuthorized: program("op_src_not_authorized"),
  createClaimableBalanceUnderfunded: program("op_underfunded"),
}

const OPERATION: Record<Exclude<xdr.OperationResult["type"], "opInner">, PaymentFate> = {
  opBadAuth: program("op_bad_auth"),
  opNoAccount: program("op_no_source_account"),
  opNotSupported: program("op_not_supported"),
  opTooManySubentries: program("op_too_many_subentries"),
  opExceededWorkLimit: program("op_exceeded_work_limit"),
  opTooManySponsoring: program("op_too_many_sponsoring"),
}

const PROGRAM_CODES = new Set(
  [...Object.values(PAYMENT), ...Object.values(CLAIMABLE_BALANCE), ...Object.values(OPERATION)].flatMap(
    (fate) => (fate._tag === "Program" || fate._tag === "Reserve" ? [fate.code] : []),
  ),
)

/** Whether an operation's code, "op_underfunded", speaks of us rather than of a recipient. */
export const isProgramCode = (code: string): boolean => PROGRAM_CODES.has(code)

const fateOf = (operation: xdr.OperationResult): PaymentFate => {
  if (operation.type !== "opInner") return OPERATION[operation.type]
  const inner = operation.value
  if (inner.type === "payment") return PAYMENT[inner.paymentResult.type]
  if (inner.type === "createClaimableBalance")
    return CLAIMABLE_BALANCE[inner.createClaimableBalanceResult.type]
  return program("op_unexpected_type")
}

const balanceIdOf = (operation: xdr.OperationResult): string | undefined => {
  if (operation.type !== "opInner" || operation.value.type !== "createClaimableBalance") return undefined
  const result = operation.value.createClaimableBalanceResult
  return result.type === "createClaimableBalanceSuccess" ? result.balanceId.toXDR("hex") : undefined
}

/** Where Horizon's name is not the XDR's own (services/horizon/internal/codes/main.go). */
const NAMED_OTHERWISE: Partial<Record<xdr.TransactionResultCodeName, string>> = {
  txNoAccount: "tx_no_source_account",
  txBadMinSeqAgeOrGap: "tx_bad_minseq_age_or_gap",
}

/** "txBadSeq" -> "tx_bad_seq", as Horizon and the error tables write it. */
const codeOf = (type: xdr.TransactionResultCodeName): string =>
  NAMED_OTHERWISE[type] ?? type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/**
 * The result of the transaction itself. Anybody may wrap a transaction of ours in a fee bump of theirs (CAP-15), and
 * RPC answers a look-up of the inner hash with the outer result; the inner pair says what happened to ours.
 */
const innerResult = (result: xdr.TransactionResult) => {
  const outer = result.result
  return outer.type === "txFeeBumpInnerSuccess" || outer.type === "txFeeBumpInnerFailed"
    ? outer.innerResultPair.result.result
    : outer
}

/** The code of the transaction itself, "tx_bad_seq"; of a fee bump whose inner transaction was refused, that one's. */
export const transactionCode = (result: xdr.TransactionResult): string => codeOf(innerResult(result).type)

/** One fate for each operation that the result speaks of; none where it never came to the operations. */
export const readFates = (result: xdr.TransactionResult): ReadonlyArray<PaymentFate> => {
  const inner = innerResult(result)
  return inner.type === "txFailed" || inner.type === "txSuccess" ? inner.results.map(fateOf) : []
}

/** Undefined when it is no TransactionResult in base64 XDR. */
export const decodeResult = (resultXdr: string): xdr.TransactionResult | undefined => {
  try {
    return xdr.TransactionResult.fromXDR(resultXdr, "base64")
  } catch {
    return undefined
  }
}

/**
 * Reads the TransactionResult (base64 XDR) of an included transaction of `payments` operations. `successful` is what
 * the node said beside it; a result that says otherwise, or has another number of operations, is unreadable.
 */
export const readOutcome = (resultXdr: string, payments: number, successful: boolean): TransactionOutcome => {
  const result = decodeResult(resultXdr)
  if (result === undefined) return { _tag: "Unreadable", code: "undecodable" }
  const inner = innerResult(result)
  const code = codeOf(inner.type)
  const feeStroops = result.feeCharged
  const isPaid = inner.type === "txSuccess"
  if (isPaid !== successful) return { _tag: "Unreadable", code }
  if (inner.type !== "txSuccess" && inner.type !== "txFailed") {
    return { _tag: "Failed", code, feeStroops, fates: Array.from({ length: payments }, () => program(code)) }
  }
  if (inner.results.length !== payments) return { _tag: "Unreadable", code }
  return isPaid
    ? { _tag: "Paid", feeStroops, balanceIds: inner.results.map(balanceIdOf) }
    : { _tag: "Failed", code, feeStroops, fates: inner.results.map(fateOf) }
}
