/**
 * stellar-core src/transactions/PaymentOpFrame.cpp: a payment is a path payment without a path, so the order
 * of its checks is PathPaymentStrictReceiveOpFrame's: destination first, then source.
 */
import { xdr } from "@stellar/stellar-sdk"
import { assetOf, issuerOf, muxedAccountOf } from "../Codec.ts"
import { type AccountKey, type AssetKey, TrustlineFlag } from "../Entries.ts"
import {
  type ApplyContext,
  failed,
  type OperationRules,
  type Outcome,
  succeeded,
  Threshold,
} from "../Operations.ts"
import { availableBalance, withBalance, withLineBalance } from "../Reserves.ts"
import { existing } from "../Sponsorship.ts"

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

/** updateDestBalance: undefined when the destination took the amount. */
const credit = (
  { state, terms }: ApplyContext,
  to: AccountKey,
  asset: AssetKey,
  amount: bigint,
): Outcome | undefined => {
  if (asset === "native") {
    const account = withBalance(existing(state, to), amount, terms)
    if (account === undefined) return LINE_FULL
    state.put(account)
    return undefined
  }
  // The issuer's own line is endless: a payment to it burns.
  if (issuerOf(asset) === to) return undefined
  const line = state.trustline(to, asset)
  if (line === undefined) return NO_TRUST
  if ((line.flags & TrustlineFlag.authorized) === 0) return NOT_AUTHORIZED
  const filled = withLineBalance(line, amount)
  if (filled === undefined) return LINE_FULL
  state.put(filled)
  return undefined
}

/** updateSourceBalance: undefined when the source gave the amount. */
const debit = (
  { state, terms }: ApplyContext,
  from: AccountKey,
  asset: AssetKey,
  amount: bigint,
): Outcome | undefined => {
  if (asset === "native") {
    const account = existing(state, from)
    if (amount > availableBalance(account, terms)) return UNDERFUNDED
    state.put({ ...account, balance: account.balance - amount })
    return undefined
  }
  // A payment by the issuer mints.
  if (issuerOf(asset) === from) return undefined
  const line = state.trustline(from, asset)
  if (line === undefined) return SRC_NO_TRUST
  if ((line.flags & TrustlineFlag.authorized) === 0) return SRC_NOT_AUTHORIZED
  const left = withLineBalance(line, -amount)
  if (left === undefined) return UNDERFUNDED
  state.put(left)
  return undefined
}

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
    return credit(context, to, asset, amount) ?? debit(context, source, asset, amount) ?? SUCCESS
  },
}
