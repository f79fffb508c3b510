/** stellar-core src/transactions/SetOptionsOpFrame.cpp */
import { xdr } from "@stellar/stellar-sdk"
import { accountOf, isPrintable, SignerType, signerKeyOf } from "../Codec.ts"
import { AccountFlag, type AccountState } from "../Entries.ts"
import type { OperationFrame } from "../Frame.ts"
import {
  type ApplyContext,
  failed,
  type OperationRules,
  type Outcome,
  sponsorshipRefused,
  succeeded,
  Threshold,
} from "../Operations.ts"
import { createSigner, existing, removeSigner, signerPosition } from "../Sponsorship.ts"

const answer = xdr.OperationResultTr.setOptions
const SUCCESS = succeeded(answer(xdr.SetOptionsResult.setOptionsSuccess()))
const LOW_RESERVE = failed(answer(xdr.SetOptionsResult.setOptionsLowReserve()))
const TOO_MANY_SIGNERS = failed(answer(xdr.SetOptionsResult.setOptionsTooManySigners()))
const BAD_FLAGS = failed(answer(xdr.SetOptionsResult.setOptionsBadFlags()))
const INVALID_INFLATION = failed(answer(xdr.SetOptionsResult.setOptionsInvalidInflation()))
const CANT_CHANGE = failed(answer(xdr.SetOptionsResult.setOptionsCantChange()))
const UNKNOWN_FLAG = failed(answer(xdr.SetOptionsResult.setOptionsUnknownFlag()))
const THRESHOLD_OUT_OF_RANGE = failed(answer(xdr.SetOptionsResult.setOptionsThresholdOutOfRange()))
const BAD_SIGNER = failed(answer(xdr.SetOptionsResult.setOptionsBadSigner()))
const INVALID_HOME_DOMAIN = failed(answer(xdr.SetOptionsResult.setOptionsInvalidHomeDomain()))
const REVOCABLE_REQUIRED = failed(answer(xdr.SetOptionsResult.setOptionsAuthRevocableRequired()))

const ALL_FLAGS =
  AccountFlag.required | AccountFlag.revocable | AccountFlag.immutable | AccountFlag.clawbackEnabled
/** MAX_SIGNERS, Stellar-ledger-entries.x. */
const SIGNERS_MAX = 20
const BYTE_MAX = 255

const checkSigner = (signer: xdr.Signer, source: string): Outcome | undefined => {
  const key = signerKeyOf(signer.key)
  const emptyPayload = key.startsWith(SignerType.signedPayload) && key.length === 72
  const isSelf = key === SignerType.ed25519 + source
  return isSelf || signer.weight > BYTE_MAX || emptyPayload ? BAD_SIGNER : undefined
}

const check = (body: xdr.SetOptionsOp, { source }: OperationFrame): Outcome | undefined => {
  const set = body.setFlags ?? 0
  const clear = body.clearFlags ?? 0
  if (((set | clear) & ~ALL_FLAGS) !== 0) return UNKNOWN_FLAG
  if ((set & clear) !== 0) return BAD_FLAGS
  for (const weight of [body.masterWeight, body.lowThreshold, body.medThreshold, body.highThreshold]) {
    if (weight !== null && weight > BYTE_MAX) return THRESHOLD_OUT_OF_RANGE
  }
  const signer = body.signer === null ? undefined : checkSigner(body.signer, source)
  if (signer !== undefined) return signer
  return body.homeDomain !== null && !isPrintable(body.homeDomain.bytes) ? INVALID_HOME_DOMAIN : undefined
}

const withFlags = (account: AccountState, body: xdr.SetOptionsOp): AccountState | Outcome => {
  const set = body.setFlags ?? 0
  const clear = body.clearFlags ?? 0
  if ((set | clear) !== 0 && (account.flags & AccountFlag.immutable) !== 0) return CANT_CHANGE
  const flags = (account.flags & ~clear) | set
  const asked = body.setFlags !== null || body.clearFlags !== null
  // Clawback presupposes that the issuer may revoke (CAP-35).
  if (asked && (flags & AccountFlag.clawbackEnabled) !== 0 && (flags & AccountFlag.revocable) === 0) {
    return REVOCABLE_REQUIRED
  }
  return { ...account, flags }
}

const applySigner = (context: ApplyContext, account: AccountState, signer: xdr.Signer): Outcome => {
  const { state } = context
  const key = signerKeyOf(signer.key)
  const at = signerPosition(account, key)
  const known = account.signers[at]?.key === key
  if (signer.weight === 0) {
    if (known) removeSigner(state, account, at)
    return SUCCESS
  }
  if (known) {
    state.put({ ...account, signers: account.signers.with(at, { key, weight: signer.weight }) })
    return SUCCESS
  }
  if (account.signers.length >= SIGNERS_MAX) return TOO_MANY_SIGNERS
  const created = createSigner(context, account, key, signer.weight)
  return created === "success" ? SUCCESS : sponsorshipRefused(created, LOW_RESERVE)
}

const apply = (body: xdr.SetOptionsOp, { source }: OperationFrame, context: ApplyContext): Outcome => {
  const { state } = context
  const account = existing(state, source)
  const destination = body.inflationDest === null ? null : accountOf(body.inflationDest)
  if (destination !== null && destination !== source && state.account(destination) === undefined) {
    return INVALID_INFLATION
  }
  const flagged = withFlags(account, body)
  if ("ok" in flagged) return flagged
  const [master, low, medium, high] = account.thresholds
  const changed: AccountState = {
    ...flagged,
    inflationDestination: destination ?? account.inflationDestination,
    homeDomain: body.homeDomain?.bytes ?? account.homeDomain,
    thresholds: [
      body.masterWeight ?? master,
      body.lowThreshold ?? low,
      body.medThreshold ?? medium,
      body.highThreshold ?? high,
    ],
  }
  state.put(changed)
  return body.signer === null ? SUCCESS : applySigner(context, changed, body.signer)
}

const touchesAuthority = (body: xdr.SetOptionsOp): boolean =>
  body.masterWeight !== null ||
  body.lowThreshold !== null ||
  body.medThreshold !== null ||
  body.highThreshold !== null ||
  body.signer !== null

export const setOptions: OperationRules<xdr.SetOptionsOp> = {
  threshold: (body) => (touchesAuthority(body) ? Threshold.high : Threshold.medium),
  check,
  apply,
}
