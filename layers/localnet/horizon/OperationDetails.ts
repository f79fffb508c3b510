import type { xdr } from "@stellar/stellar-sdk"
import { type AccountRef, accountRef, addressOf } from "./EnvelopeView.ts"
import { amountText, assetFields, assetText, timeText } from "./Render.ts"
import { signerName } from "./SignerKeys.ts"

export type Details = Readonly<Record<string, unknown>>

/** An account field with its two muxed companions: `from`, `from_muxed`, `from_muxed_id`. */
const party = (name: string, ref: AccountRef): Details => ({
  [name]: ref.address,
  ...(ref.muxed === undefined
    ? {}
    : { [`${name}_muxed`]: ref.muxed.address, [`${name}_muxed_id`]: ref.muxed.id }),
})

const hex = (value: xdr.ClaimableBalanceId): string => value.toXdr("hex")

interface FlagName {
  readonly bit: number
  readonly name: string
}

const accountFlags: ReadonlyArray<FlagName> = [
  { bit: 1, name: "auth_required" },
  { bit: 2, name: "auth_revocable" },
  { bit: 4, name: "auth_immutable" },
  { bit: 8, name: "auth_clawback_enabled" },
]

/** The second name is spelt so in Horizon (ingest processors, addTrustLineFlagDetails). */
const trustlineFlags: ReadonlyArray<FlagName> = [
  { bit: 1, name: "authorized" },
  { bit: 2, name: "authorized_to_maintain_liabilites" },
  { bit: 4, name: "clawback_enabled" },
]

const flagFields = (names: ReadonlyArray<FlagName>, prefix: "set" | "clear", flags: number): Details => {
  const given = names.filter(({ bit }) => (flags & bit) !== 0)
  if (given.length === 0) return {}
  return {
    [`${prefix}_flags`]: given.map(({ bit }) => bit),
    [`${prefix}_flags_s`]: given.map(({ name }) => name),
  }
}

const optional = (name: string, value: unknown): Details =>
  value === null || value === undefined ? {} : { [name]: value }

const setOptionsDetails = (op: xdr.SetOptionsOp): Details => ({
  ...optional("home_domain", op.homeDomain?.toString()),
  ...optional("inflation_dest", op.inflationDest === null ? null : addressOf(op.inflationDest)),
  ...optional("master_key_weight", op.masterWeight),
  ...(op.signer === null
    ? {}
    : { signer_key: signerName(op.signer.key).key, signer_weight: op.signer.weight }),
  ...flagFields(accountFlags, "set", op.setFlags ?? 0),
  ...flagFields(accountFlags, "clear", op.clearFlags ?? 0),
  ...optional("low_threshold", op.lowThreshold),
  ...optional("med_threshold", op.medThreshold),
  ...optional("high_threshold", op.highThreshold),
})

const changeTrustDetails = (op: xdr.ChangeTrustOp, source: AccountRef): Details => {
  const asset = assetFields(op.line)
  return {
    ...asset,
    limit: amountText(op.limit),
    ...optional("trustee", asset.asset_issuer),
    ...party("trustor", source),
  }
}

/** SEP-less: the JSON form of xdr.ClaimPredicate in Go, with both spellings of an absolute time. */
export const predicateDetails = (predicate: xdr.ClaimPredicate): Details => {
  switch (predicate.type) {
    case "claimPredicateUnconditional":
      return { unconditional: true }
    case "claimPredicateAnd":
      return { and: predicate.andPredicates.map(predicateDetails) }
    case "claimPredicateOr":
      return { or: predicate.orPredicates.map(predicateDetails) }
    case "claimPredicateNot":
      return { not: predicate.notPredicate === null ? null : predicateDetails(predicate.notPredicate) }
    case "claimPredicateBeforeAbsoluteTime":
      return {
        ...(predicate.absBefore > MAX_DATE_SECONDS
          ? {}
          : { abs_before: timeText(Number(predicate.absBefore)) }),
        abs_before_epoch: predicate.absBefore.toString(),
      }
    case "claimPredicateBeforeRelativeTime":
      return { rel_before: predicate.relBefore.toString() }
  }
}

/** The last second that a JavaScript date can show (ECMA-262: 8.64e15 ms). */
const MAX_DATE_SECONDS = 8_640_000_000_000n

export const claimantDetails = (claimant: xdr.Claimant) => ({
  destination: addressOf(claimant.v0.destination),
  predicate: predicateDetails(claimant.v0.predicate),
})

const revokedEntry = (key: xdr.LedgerKey): Details => {
  switch (key.type) {
    case "account":
      return { account_id: addressOf(key.account.accountId) }
    case "trustline": {
      const asset = assetFields(key.trustLine.asset)
      return {
        trustline_account_id: addressOf(key.trustLine.accountId),
        trustline_asset: `${asset.asset_code}:${asset.asset_issuer}`,
      }
    }
    case "data":
      return {
        data_account_id: addressOf(key.data.accountId),
        data_name: key.data.dataName.toString(),
      }
    case "claimableBalance":
      return { claimable_balance_id: hex(key.claimableBalance.balanceId) }
    default:
      return {}
  }
}

const revokeDetails = (op: xdr.RevokeSponsorshipOp): Details =>
  op.type === "revokeSponsorshipLedgerEntry"
    ? revokedEntry(op.ledgerKey)
    : { signer_account_id: addressOf(op.signer.accountId), signer_key: signerName(op.signer.signerKey).key }

const allowTrustDetails = (op: xdr.AllowTrustOp, source: AccountRef): Details => {
  const bytes = op.asset.value.toBytes()
  const end = bytes.indexOf(0)
  return {
    asset_type: op.asset.type === "assetTypeCreditAlphanum4" ? "credit_alphanum4" : "credit_alphanum12",
    asset_code: Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("latin1"),
    asset_issuer: source.address,
    ...party("trustee", source),
    trustor: addressOf(op.trustor),
    authorize: (op.authorize & 1) !== 0,
    authorize_to_maintain_liabilities: op.authorize !== 0,
  }
}

const claimableBalanceDetails = (body: xdr.OperationBody, source: AccountRef): Details => {
  switch (body.type) {
    case "createClaimableBalance":
      return {
        asset: assetText(body.createClaimableBalanceOp.asset),
        amount: amountText(body.createClaimableBalanceOp.amount),
        claimants: body.createClaimableBalanceOp.claimants.map(claimantDetails),
      }
    case "claimClaimableBalance":
      return { balance_id: hex(body.claimClaimableBalanceOp.balanceId), ...party("claimant", source) }
    case "clawbackClaimableBalance":
      return { balance_id: hex(body.clawbackClaimableBalanceOp.balanceId) }
    default:
      return {}
  }
}

const issuerDetails = (body: xdr.OperationBody, source: AccountRef): Details => {
  switch (body.type) {
    case "allowTrust":
      return allowTrustDetails(body.allowTrustOp, source)
    case "setTrustLineFlags": {
      const op = body.setTrustLineFlagsOp
      return {
        ...assetFields(op.asset),
        trustor: addressOf(op.trustor),
        ...flagFields(trustlineFlags, "set", op.setFlags),
        ...flagFields(trustlineFlags, "clear", op.clearFlags),
      }
    }
    case "clawback": {
      const op = body.clawbackOp
      return {
        ...assetFields(op.asset),
        ...party("from", accountRef(op.from)),
        amount: amountText(op.amount),
      }
    }
    default:
      return claimableBalanceDetails(body, source)
  }
}

const paymentDetails = (body: xdr.OperationBody, source: AccountRef): Details => {
  switch (body.type) {
    case "createAccount":
      return {
        starting_balance: amountText(body.createAccountOp.startingBalance),
        ...party("funder", source),
        account: addressOf(body.createAccountOp.destination),
      }
    case "payment": {
      const op = body.paymentOp
      return {
        ...assetFields(op.asset),
        ...party("from", source),
        ...party("to", accountRef(op.destination)),
        amount: amountText(op.amount),
      }
    }
    case "accountMerge":
      return { ...party("account", source), ...party("into", accountRef(body.destination)) }
    default:
      return issuerDetails(body, source)
  }
}

/**
 * The fields that an operation's kind adds to the common ones (protocols/horizon/operations). Kinds that
 * this network never applies show the common ones alone.
 */
export const operationDetails = (body: xdr.OperationBody, source: AccountRef): Details => {
  switch (body.type) {
    case "setOptions":
      return setOptionsDetails(body.setOptionsOp)
    case "changeTrust":
      return changeTrustDetails(body.changeTrustOp, source)
    case "manageData": {
      const { dataName, dataValue } = body.manageDataOp
      const value = dataValue === null ? "" : Buffer.from(dataValue.toBytes()).toString("base64")
      return { name: dataName.toString(), value }
    }
    case "bumpSequence":
      return { bump_to: body.bumpSequenceOp.bumpTo.toString() }
    case "beginSponsoringFutureReserves":
      return { sponsored_id: addressOf(body.beginSponsoringFutureReservesOp.sponsoredId) }
    case "revokeSponsorship":
      return revokeDetails(body.revokeSponsorshipOp)
    default:
      return paymentDetails(body, source)
  }
}
