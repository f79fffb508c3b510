/**
 * stellar-core src/transactions/PaymentOpFrame.cpp: a payment is a path payment without a path, so the order
 * of its checks is PathPaymentStrictReceiveOpFrame's: destination first, then source.
 */
import { xdr } from "@stellar/stellar-sdk"
import { assetOf, issuerOf, muxedAccountOf } from "../Codec.ts"
import { credit, debit } from "../Holdings.ts"
import { failed, type OperationRules, succeeded, Threshold } from "../Operations.ts"

const answer = xdr.OperationResultTr.payment
const SUCCESS = succeeded(answer(xdr.PaymentResult.paymentSuccess()))
const MALFORMED = failed(answer(xdr.PaymentResult.paymentMalformed()))
const UNDERFUNDED = failed(answer(xdr.PaymentResult.paymentUnderfunded()))
const SRC_NO_TRUST = failed(answer(xdr.PaymentResult.paymentSrcNoTrust()))
const SRC_NOT_AUTHORIZED = failed(answer(xdr.PaymentResult.paymentSrcNotAuthorized()))
const NO_DESTINATION = failed(answer(xdr.PaymentResult.paymentNoDestination()))
const NO_TRUST = failed(answer(xdr.PaymentResult.paymentNoTrust()))
const NOT_AUTHORIZED = failed(answer(xdr.PaymentResult.paymentNotAuthorized()))
const LINE_FULL = failed(answer(xdr.PaymentResult.paymentLineFull()))

const CREDIT_REFUSED = { noTrust: NO_TRUST, notAuthorized: NOT_AUTHORIZED, lineFull: LINE_FULL } as const
const DEBIT_REFUSED = {
  noTrust: SRC_NO_TRUST,
  notAuthorized: SRC_NOT_AUTHORIZED,
  underfunded: UNDERFUNDED,
} as const

export const payment: OperationRules<xdr.PaymentOp> = {
  threshold: () => Threshold.medium,
  check: ({ amount, asset }) => (amount <= 0n || assetOf(asset) === undefined ? MALFORMED : undefined),
  apply: ({ amount, asset: assetInXdr, destination }, { source }, context) => {
    const to = muxedAccountOf(destination)
    const asset = assetOf(assetInXdr)
    if (asset === undefined) return MALFORMED
    if (to === source && asset === "native") return SUCCESS
    // Credits can always go back to their issuer, even when its account is gone (shouldBypassIssuerCheck).
    const toIssuer = asset !== "native" && issuerOf(asset) === to
    if (!toIssuer && context.state.account(to) === undefined) return NO_DESTINATION
    const credited = credit(context, to, asset, amount)
    if (credited !== undefined) return CREDIT_REFUSED[credited]
    const debited = debit(context, source, asset, amount)
    return debited === undefined ? SUCCESS : DEBIT_REFUSED[debited]
  },
}
