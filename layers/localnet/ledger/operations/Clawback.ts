/** stellar-core src/transactions/ClawbackOpFrame.cpp (CAP-35) */
import { xdr } from "@stellar/stellar-sdk"
import { assetOf, issuerOf, muxedAccountOf } from "../Codec.ts"
import { TrustlineFlag } from "../Entries.ts"
import { failed, type OperationRules, succeeded, Threshold } from "../Operations.ts"
import { withLineBalance } from "../Reserves.ts"

const answer = xdr.OperationResultTr.clawback
const SUCCESS = succeeded(answer(xdr.ClawbackResult.clawbackSuccess()))
const MALFORMED = failed(answer(xdr.ClawbackResult.clawbackMalformed()))
const NOT_ENABLED = failed(answer(xdr.ClawbackResult.clawbackNotClawbackEnabled()))
const NO_TRUST = failed(answer(xdr.ClawbackResult.clawbackNoTrust()))
const UNDERFUNDED = failed(answer(xdr.ClawbackResult.clawbackUnderfunded()))

export const clawback: OperationRules<xdr.ClawbackOp> = {
  threshold: () => Threshold.medium,
  check: ({ asset: assetInXdr, from, amount }, { source }) => {
    const asset = assetOf(assetInXdr)
    // Core compares the whole muxed account here: an M... address of oneself gets past, and has no line.
    const fromSelf = from.type === "keyTypeEd25519" && muxedAccountOf(from) === source
    const malformed = fromSelf || amount < 1n || asset === undefined || asset === "native"
    return malformed || issuerOf(asset) !== source ? MALFORMED : undefined
  },
  apply: ({ asset: assetInXdr, from, amount }, _, { state }) => {
    const asset = assetOf(assetInXdr)
    const line = asset === undefined ? undefined : state.trustline(muxedAccountOf(from), asset)
    if (line === undefined) return NO_TRUST
    if ((line.flags & TrustlineFlag.clawbackEnabled) === 0) return NOT_ENABLED
    const left = withLineBalance(line, -amount)
    if (left === undefined) return UNDERFUNDED
    state.put(left)
    return SUCCESS
  },
}
