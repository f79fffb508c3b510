/**
 * An issuer's say over other accounts' trustlines: stellar-core src/transactions/TrustFlagsOpFrameBase.cpp,
 * SetTrustLineFlagsOpFrame.cpp and AllowTrustOpFrame.cpp. Taking authorisation away would also remove offers;
 * this network has none, so LOW_RESERVE (from turning pool shares into claimable balances) cannot occur.
 */
import { xdr } from "@stellar/stellar-sdk"
import { accountOf, assetOf, issuerOf } from "../Codec.ts"
import { AccountFlag, type AccountKey, type AssetKey, TrustlineFlag } from "../Entries.ts"
import { failed, type OperationRules, succeeded, Threshold } from "../Operations.ts"
import { existing } from "../Sponsorship.ts"

const set = xdr.OperationResultTr.setTrustLineFlags
const SetFlags = xdr.SetTrustLineFlagsResult
const SET_SUCCESS = succeeded(set(SetFlags.setTrustLineFlagsSuccess()))
const SET_MALFORMED = failed(set(SetFlags.setTrustLineFlagsMalformed()))
const SET_NO_TRUST_LINE = failed(set(SetFlags.setTrustLineFlagsNoTrustLine()))
const SET_CANT_REVOKE = failed(set(SetFlags.setTrustLineFlagsCantRevoke()))
const SET_INVALID_STATE = failed(set(SetFlags.setTrustLineFlagsInvalidState()))

const AUTHORISATION = TrustlineFlag.authorized | TrustlineFlag.maintainLiabilities
const ALL_FLAGS = AUTHORISATION | TrustlineFlag.clawbackEnabled

const bothAuthorisations = (flags: number): boolean => (flags & AUTHORISATION) === AUTHORISATION

const isMalformed = (body: xdr.SetTrustLineFlagsOp, source: AccountKey): boolean => {
  const asset = assetOf(body.asset)
  if (asset === undefined || asset === "native" || issuerOf(asset) !== source) return true
  if (accountOf(body.trustor) === source || (body.setFlags & body.clearFlags) !== 0) return true
  // Clawback can be taken from a line, never given to it (CAP-35).
  const settable = (body.setFlags & ~AUTHORISATION) === 0 && !bothAuthorisations(body.setFlags)
  return !settable || (body.clearFlags & ~ALL_FLAGS) !== 0
}

export const setTrustLineFlags: OperationRules<xdr.SetTrustLineFlagsOp> = {
  threshold: () => Threshold.low,
  check: (body, { source }) => (isMalformed(body, source) ? SET_MALFORMED : undefined),
  apply: (body, { source }, { state }) => {
    const asset = assetOf(body.asset)
    if (asset === undefined) return SET_MALFORMED
    const revocable = (existing(state, source).flags & AccountFlag.revocable) !== 0
    const clears = (body.clearFlags & AUTHORISATION) !== 0
    const authorises = (body.setFlags & TrustlineFlag.authorized) !== 0
    if (!revocable && clears && !authorises) return SET_CANT_REVOKE
    const line = state.trustline(accountOf(body.trustor), asset)
    if (line === undefined) return SET_NO_TRUST_LINE
    const flags = (line.flags & ~body.clearFlags) | body.setFlags
    if (bothAuthorisations(flags)) return SET_INVALID_STATE
    state.put({ ...line, flags })
    return SET_SUCCESS
  },
}

const allow = xdr.OperationResultTr.allowTrust
const Allow = xdr.AllowTrustResult
const ALLOW_SUCCESS = succeeded(allow(Allow.allowTrustSuccess()))
const ALLOW_MALFORMED = failed(allow(Allow.allowTrustMalformed()))
const ALLOW_NO_TRUST_LINE = failed(allow(Allow.allowTrustNoTrustLine()))
const ALLOW_CANT_REVOKE = failed(allow(Allow.allowTrustCantRevoke()))

/** The source's asset of this code; undefined when the code is invalid. */
const assetOfCode = (code: xdr.AssetCode, source: xdr.AccountId): AssetKey | undefined =>
  code.type === "assetTypeCreditAlphanum4"
    ? assetOf(
        xdr.Asset.assetTypeCreditAlphanum4(new xdr.AlphaNum4({ assetCode: code.assetCode4, issuer: source })),
      )
    : assetOf(
        xdr.Asset.assetTypeCreditAlphanum12(
          new xdr.AlphaNum12({ assetCode: code.assetCode12, issuer: source }),
        ),
      )

const publicKey = (account: AccountKey): xdr.AccountId =>
  xdr.PublicKey.publicKeyTypeEd25519(Buffer.from(account, "hex"))

export const allowTrust: OperationRules<xdr.AllowTrustOp> = {
  threshold: () => Threshold.low,
  check: ({ asset, trustor, authorize }, { source }) => {
    const known = assetOfCode(asset, publicKey(source))
    const malformed =
      authorize > TrustlineFlag.maintainLiabilities || known === undefined || accountOf(trustor) === source
    return malformed ? ALLOW_MALFORMED : undefined
  },
  apply: ({ asset: code, trustor, authorize }, { source }, { state }) => {
    const asset = assetOfCode(code, publicKey(source))
    if (asset === undefined) return ALLOW_MALFORMED
    const revocable = (existing(state, source).flags & AccountFlag.revocable) !== 0
    if (!revocable && authorize === 0) return ALLOW_CANT_REVOKE
    const line = state.trustline(accountOf(trustor), asset)
    if (line === undefined) return ALLOW_NO_TRUST_LINE
    const flags = (line.flags & ~AUTHORISATION) | authorize
    const downgrades =
      (line.flags & TrustlineFlag.authorized) !== 0 && (flags & TrustlineFlag.maintainLiabilities) !== 0
    if (!revocable && downgrades) return ALLOW_CANT_REVOKE
    state.put({ ...line, flags })
    return ALLOW_SUCCESS
  },
}
