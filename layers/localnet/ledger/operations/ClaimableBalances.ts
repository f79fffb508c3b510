/**
 * CAP-23; stellar-core src/transactions/CreateClaimableBalanceOpFrame.cpp, ClaimClaimableBalanceOpFrame.cpp
 * and ClawbackClaimableBalanceOpFrame.cpp. A balance's reserves are its sponsor's: one for each claimant.
 */
import { xdr } from "@stellar/stellar-sdk"
import { accountId, accountOf, assetOf, hexOf, issuerOf, sha256 } from "../Codec.ts"
import {
  AccountFlag,
  type AccountKey,
  type AssetKey,
  type ClaimableBalanceState,
  claimableBalanceKey,
  TrustlineFlag,
} from "../Entries.ts"
import type { OperationFrame } from "../Frame.ts"
import { credit, debit } from "../Holdings.ts"
import {
  type ApplyContext,
  failed,
  type OperationRules,
  type Outcome,
  sponsorshipRefused,
  succeeded,
  Threshold,
} from "../Operations.ts"
import { isClaimableAt, isWellFormed, predicateOf, withAbsoluteTimes } from "../Predicates.ts"
import { createEntry, existing, removeEntry } from "../Sponsorship.ts"
import type { LedgerState } from "../State.ts"

const create = xdr.OperationResultTr.createClaimableBalance
const Create = xdr.CreateClaimableBalanceResult
const CREATE_MALFORMED = failed(create(Create.createClaimableBalanceMalformed()))
const CREATE_LOW_RESERVE = failed(create(Create.createClaimableBalanceLowReserve()))
const CREATE_REFUSED = {
  noTrust: failed(create(Create.createClaimableBalanceNoTrust())),
  notAuthorized: failed(create(Create.createClaimableBalanceNotAuthorized())),
  underfunded: failed(create(Create.createClaimableBalanceUnderfunded())),
} as const

/** getBalanceID: from the transaction's source and sequence and the operation's index. */
export const balanceId = (source: AccountKey, sequence: bigint, index: number): Uint8Array =>
  sha256(
    xdr.HashIdPreimage.envelopeTypeOpId(
      new xdr.HashIdPreimageOperationId({ sourceAccount: accountId(source), seqNum: sequence, opNum: index }),
    ).toXdr(),
  )

/** Clawback is inherited: from the issuer's account when it creates, otherwise from the creator's line. */
const inheritsClawback = (state: LedgerState, source: AccountKey, asset: AssetKey): boolean => {
  if (asset === "native") return false
  if (issuerOf(asset) === source) return (existing(state, source).flags & AccountFlag.clawbackEnabled) !== 0
  return ((state.trustline(source, asset)?.flags ?? 0) & TrustlineFlag.clawbackEnabled) !== 0
}

const applyCreate = (
  body: xdr.CreateClaimableBalanceOp,
  { source, index }: OperationFrame,
  context: ApplyContext,
): Outcome => {
  const { state, terms, frame } = context
  const asset = assetOf(body.asset)
  if (asset === undefined) return CREATE_MALFORMED
  const refused = debit(context, source, asset, body.amount)
  if (refused !== undefined) return CREATE_REFUSED[refused]
  const id = balanceId(frame.inner.source, frame.inner.sequence, index)
  const created = createEntry(
    context,
    {
      kind: "claimableBalance",
      id: hexOf(id),
      claimants: body.claimants.map(({ v0 }) => ({
        destination: accountOf(v0.destination),
        predicate: withAbsoluteTimes(predicateOf(v0.predicate), terms.closeTime),
      })),
      asset,
      amount: body.amount,
      clawbackEnabled: inheritsClawback(state, source, asset),
      sponsor: null,
      entryExtension: 0,
      lastModified: 0,
    },
    source,
  )
  if (created !== "success") return sponsorshipRefused(created, CREATE_LOW_RESERVE)
  const made = xdr.ClaimableBalanceId.claimableBalanceIdTypeV0(id)
  return succeeded(create(Create.createClaimableBalanceSuccess(made)))
}

export const createClaimableBalance: OperationRules<xdr.CreateClaimableBalanceOp> = {
  threshold: () => Threshold.medium,
  check: ({ asset, amount, claimants }) => {
    const destinations = new Set(claimants.map(({ v0 }) => accountOf(v0.destination)))
    const malformed =
      assetOf(asset) === undefined ||
      amount <= 0n ||
      claimants.length === 0 ||
      destinations.size !== claimants.length ||
      !claimants.every(({ v0 }) => isWellFormed(predicateOf(v0.predicate)))
    return malformed ? CREATE_MALFORMED : undefined
  },
  apply: applyCreate,
}

const balanceOf = (state: LedgerState, id: xdr.ClaimableBalanceId): ClaimableBalanceState | undefined =>
  state.get(claimableBalanceKey(hexOf(id.v0.value))) as ClaimableBalanceState | undefined

const removeBalance = (context: ApplyContext, balance: ClaimableBalanceState): void => {
  removeEntry(context, balance)
  context.state.remove(claimableBalanceKey(balance.id))
}

const claim = xdr.OperationResultTr.claimClaimableBalance
const Claim = xdr.ClaimClaimableBalanceResult
const CLAIM_SUCCESS = succeeded(claim(Claim.claimClaimableBalanceSuccess()))
const CLAIM_DOES_NOT_EXIST = failed(claim(Claim.claimClaimableBalanceDoesNotExist()))
const CLAIM_CANNOT_CLAIM = failed(claim(Claim.claimClaimableBalanceCannotClaim()))
const CLAIM_REFUSED = {
  lineFull: failed(claim(Claim.claimClaimableBalanceLineFull())),
  noTrust: failed(claim(Claim.claimClaimableBalanceNoTrust())),
  notAuthorized: failed(claim(Claim.claimClaimableBalanceNotAuthorized())),
} as const

export const claimClaimableBalance: OperationRules<xdr.ClaimClaimableBalanceOp> = {
  threshold: () => Threshold.low,
  check: () => undefined,
  apply: (body, { source }, context) => {
    const { state, terms } = context
    const balance = balanceOf(state, body.balanceId)
    if (balance === undefined) return CLAIM_DOES_NOT_EXIST
    const claimant = balance.claimants.find(({ destination }) => destination === source)
    if (claimant === undefined || !isClaimableAt(claimant.predicate, terms.closeTime))
      return CLAIM_CANNOT_CLAIM
    const refused = credit(context, source, balance.asset, balance.amount)
    if (refused !== undefined) return CLAIM_REFUSED[refused]
    removeBalance(context, balance)
    return CLAIM_SUCCESS
  },
}

const claw = xdr.OperationResultTr.clawbackClaimableBalance
const Claw = xdr.ClawbackClaimableBalanceResult
const CLAW_SUCCESS = succeeded(claw(Claw.clawbackClaimableBalanceSuccess()))
const CLAW_DOES_NOT_EXIST = failed(claw(Claw.clawbackClaimableBalanceDoesNotExist()))
const CLAW_NOT_ISSUER = failed(claw(Claw.clawbackClaimableBalanceNotIssuer()))
const CLAW_NOT_ENABLED = failed(claw(Claw.clawbackClaimableBalanceNotClawbackEnabled()))

export const clawbackClaimableBalance: OperationRules<xdr.ClawbackClaimableBalanceOp> = {
  threshold: () => Threshold.medium,
  check: () => undefined,
  apply: (body, { source }, context) => {
    const balance = balanceOf(context.state, body.balanceId)
    if (balance === undefined) return CLAW_DOES_NOT_EXIST
    if (balance.asset === "native" || issuerOf(balance.asset) !== source) return CLAW_NOT_ISSUER
    if (!balance.clawbackEnabled) return CLAW_NOT_ENABLED
    removeBalance(context, balance)
    return CLAW_SUCCESS
  },
}
