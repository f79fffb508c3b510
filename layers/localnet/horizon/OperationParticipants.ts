import type { xdr } from "@stellar/stellar-sdk"
import { type AccountRef, accountRef, addressOf } from "./EnvelopeView.ts"

/** The other account that an operation names, where it names one. */
const counterparties = (body: xdr.OperationBody): ReadonlyArray<string> => {
  switch (body.type) {
    case "createAccount":
      return [addressOf(body.createAccountOp.destination)]
    case "payment":
      return [accountRef(body.paymentOp.destination).address]
    case "accountMerge":
      return [accountRef(body.destination).address]
    case "allowTrust":
      return [addressOf(body.allowTrustOp.trustor)]
    case "setTrustLineFlags":
      return [addressOf(body.setTrustLineFlagsOp.trustor)]
    case "clawback":
      return [accountRef(body.clawbackOp.from).address]
    case "createClaimableBalance":
      return body.createClaimableBalanceOp.claimants.map((claimant) => addressOf(claimant.v0.destination))
    case "beginSponsoringFutureReserves":
      return [addressOf(body.beginSponsoringFutureReservesOp.sponsoredId)]
    case "revokeSponsorship":
      return revoked(body.revokeSponsorshipOp)
    default:
      return []
  }
}

const revoked = (op: xdr.RevokeSponsorshipOp): ReadonlyArray<string> => {
  if (op.type === "revokeSponsorshipSigner") return [addressOf(op.signer.accountId)]
  switch (op.ledgerKey.type) {
    case "account":
      return [addressOf(op.ledgerKey.account.accountId)]
    case "trustline":
      return [addressOf(op.ledgerKey.trustLine.accountId)]
    case "data":
      return [addressOf(op.ledgerKey.data.accountId)]
    default:
      return []
  }
}

export interface SourcedOperation {
  readonly body: xdr.OperationBody
  readonly source: AccountRef
}

/**
 * The account whose open sponsorship an EndSponsoringFutureReserves closes: the source of the last
 * BeginSponsoringFutureReserves before it that names the same account.
 */
export const beginSponsor = (
  operations: ReadonlyArray<SourcedOperation>,
  index: number,
): AccountRef | undefined => {
  const sponsored = operations[index]?.source.address
  for (let before = index - 1; before >= 0; before--) {
    const earlier = operations[before]
    if (earlier?.body.type !== "beginSponsoringFutureReserves") continue
    if (addressOf(earlier.body.beginSponsoringFutureReservesOp.sponsoredId) === sponsored) {
      return earlier.source
    }
  }
  return undefined
}

/** Accounts under which Horizon lists the operation (its operation participants); an issuer is none. */
export const operationParticipants = (
  operations: ReadonlyArray<SourcedOperation>,
  index: number,
): ReadonlyArray<string> => {
  const operation = operations[index]
  if (operation === undefined) return []
  const named = [operation.source.address, ...counterparties(operation.body)]
  if (operation.body.type !== "endSponsoringFutureReserves") return named
  const sponsor = beginSponsor(operations, index)
  return sponsor === undefined ? named : [...named, sponsor.address]
}
