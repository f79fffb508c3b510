/**
 * stellar-core src/transactions/RevokeSponsorshipOpFrame.cpp: whoever pays for an entry or a signer hands it
 * back to its owner, or, inside an open sponsorship of its own, on to its sponsor.
 */
import { xdr } from "@stellar/stellar-sdk"
import { accountOf, assetOf, isPrintable, issuerOf, signerKeyOf } from "../Codec.ts"
import type { AccountKey, Entry } from "../Entries.ts"
import { entryKeyOf } from "../EntryXdr.ts"
import {
  type ApplyContext,
  failed,
  type OperationRules,
  type Outcome,
  sponsorshipRefused,
  succeeded,
  Threshold,
} from "../Operations.ts"
import { availableBalance } from "../Reserves.ts"
import {
  addSponsored,
  addSponsoring,
  canSponsor,
  existing,
  reservesOf,
  signerPosition,
  withSponsorshipExtension,
} from "../Sponsorship.ts"

const answer = xdr.OperationResultTr.revokeSponsorship
const Result = xdr.RevokeSponsorshipResult
const SUCCESS = succeeded(answer(Result.revokeSponsorshipSuccess()))
const DOES_NOT_EXIST = failed(answer(Result.revokeSponsorshipDoesNotExist()))
const NOT_SPONSOR = failed(answer(Result.revokeSponsorshipNotSponsor()))
const LOW_RESERVE = failed(answer(Result.revokeSponsorshipLowReserve()))
const ONLY_TRANSFERABLE = failed(answer(Result.revokeSponsorshipOnlyTransferable()))
const MALFORMED = failed(answer(Result.revokeSponsorshipMalformed()))

interface Move {
  readonly from: AccountKey | null
  readonly to: AccountKey | null
  /** Whose reserve it is when nobody sponsors it. */
  readonly owner: AccountKey
  readonly reserves: number
}

/** Moves the reserves between the accounts that count them; undefined when everybody can carry theirs. */
const move = ({ state, terms }: ApplyContext, { from, to, owner, reserves }: Move): Outcome | undefined => {
  if (from === to) return undefined
  if (to !== null) {
    const able = canSponsor(existing(state, to), reserves, terms)
    if (able !== "success") return sponsorshipRefused(able, LOW_RESERVE)
  } else if (availableBalance(existing(state, owner), terms) < BigInt(reserves) * terms.baseReserve) {
    return LOW_RESERVE
  }
  if (from === null) state.put(addSponsored(existing(state, owner), reserves))
  if (to === null) state.put(addSponsored(existing(state, owner), -reserves))
  if (to !== null) state.put(addSponsoring(existing(state, to), reserves))
  if (from !== null) state.put(addSponsoring(existing(state, from), -reserves))
  return undefined
}

/** Who will pay: the source's own sponsor, unless that is the owner. */
const nextSponsor = (context: ApplyContext, source: AccountKey, owner: AccountKey): AccountKey | null => {
  const sponsor = context.sponsorships.get(source)
  return sponsor === undefined || sponsor === owner ? null : sponsor
}

const ownerOf = (entry: Entry): AccountKey => {
  switch (entry.kind) {
    case "account":
      return entry.id
    case "claimableBalance":
      return entry.sponsor ?? ""
    default:
      return entry.account
  }
}

const revokeEntry = (key: xdr.LedgerKey, source: AccountKey, context: ApplyContext): Outcome => {
  const { state } = context
  const stateKey = entryKeyOf(key)
  const entry = stateKey === undefined ? undefined : state.get(stateKey)
  if (stateKey === undefined || entry === undefined) return DOES_NOT_EXIST
  const owner = ownerOf(entry)
  if ((entry.sponsor ?? owner) !== source) return NOT_SPONSOR
  const to = nextSponsor(context, source, owner)
  if (to === null && entry.kind === "claimableBalance") return ONLY_TRANSFERABLE
  const refused = move(context, { from: entry.sponsor, to, owner, reserves: reservesOf(entry) })
  if (refused !== undefined) return refused
  // An account has changed meanwhile: its own count of sponsored reserves is in it.
  const moved = state.get(stateKey) ?? entry
  if (entry.sponsor !== to) state.put({ ...moved, sponsor: to, entryExtension: 1 })
  return SUCCESS
}

const revokeSigner = (
  { accountId, signerKey }: xdr.RevokeSponsorshipOpSigner,
  source: AccountKey,
  context: ApplyContext,
): Outcome => {
  const { state } = context
  const owner = accountOf(accountId)
  const account = state.account(owner)
  if (account === undefined) return DOES_NOT_EXIST
  const key = signerKeyOf(signerKey)
  const at = signerPosition(account, key)
  if (account.signers[at]?.key !== key) return DOES_NOT_EXIST
  const from = account.signerSponsors[at] ?? null
  if ((from ?? owner) !== source) return NOT_SPONSOR
  const to = nextSponsor(context, source, owner)
  const refused = move(context, { from, to, owner, reserves: 1 })
  if (refused !== undefined) return refused
  if (from === to) return SUCCESS
  const moved = withSponsorshipExtension(existing(state, owner))
  state.put({ ...moved, signerSponsors: moved.signerSponsors.with(at, to) })
  return SUCCESS
}

const isMalformed = (key: xdr.LedgerKey): boolean => {
  switch (key.type) {
    case "account":
    case "claimableBalance":
      return false
    case "trustline": {
      const { asset: assetInXdr, accountId } = key.trustLine
      if (assetInXdr.type === "assetTypePoolShare") return false
      const asset = assetOf(assetInXdr)
      return asset === undefined || asset === "native" || issuerOf(asset) === accountOf(accountId)
    }
    case "offer":
      return key.offer.offerId <= 0n
    case "data":
      return key.data.dataName.bytes.length === 0 || !isPrintable(key.data.dataName.bytes)
    default:
      return true
  }
}

export const revokeSponsorship: OperationRules<xdr.RevokeSponsorshipOp> = {
  threshold: () => Threshold.medium,
  check: (body) =>
    body.type === "revokeSponsorshipLedgerEntry" && isMalformed(body.ledgerKey) ? MALFORMED : undefined,
  apply: (body, { source }, context) =>
    body.type === "revokeSponsorshipLedgerEntry"
      ? revokeEntry(body.ledgerKey, source, context)
      : revokeSigner(body.signer, source, context),
}
