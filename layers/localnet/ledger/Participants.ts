/**
 * Accounts that took part in a transaction, as Horizon counts them: sources, the accounts that its operations
 * name, and those whose account entries changed (stellar/go ParticipantsForTransaction).
 */
import type { xdr } from "@stellar/stellar-sdk"
import type { AppliedChanges } from "./Apply.ts"
import { accountOf, muxedAccountOf } from "./Codec.ts"
import type { AccountKey } from "./Entries.ts"
import type { EnvelopeFrame } from "./Frame.ts"
import type { EntryChange } from "./State.ts"

/** Accounts that an operation names besides its source. */
const namedBy = (body: xdr.OperationBody): ReadonlyArray<AccountKey> => {
  switch (body.type) {
    case "createAccount":
      return [accountOf(body.createAccountOp.destination)]
    case "payment":
      return [muxedAccountOf(body.paymentOp.destination)]
    case "accountMerge":
      return [muxedAccountOf(body.destination)]
    case "allowTrust":
      return [accountOf(body.allowTrustOp.trustor)]
    case "setTrustLineFlags":
      return [accountOf(body.setTrustLineFlagsOp.trustor)]
    case "clawback":
      return [muxedAccountOf(body.clawbackOp.from)]
    case "createClaimableBalance":
      return body.createClaimableBalanceOp.claimants.map(({ v0 }) => accountOf(v0.destination))
    case "beginSponsoringFutureReserves":
      return [accountOf(body.beginSponsoringFutureReservesOp.sponsoredId)]
    default:
      return []
  }
}

const addChanged = (found: Set<AccountKey>, changes: ReadonlyArray<EntryChange>): void => {
  for (const { before, after } of changes) {
    const entry = after ?? before
    if (entry?.kind === "account") found.add(entry.id)
  }
}

export const participantsOf = (
  frame: EnvelopeFrame,
  changes: AppliedChanges,
  fee: ReadonlyArray<EntryChange>,
): ReadonlySet<AccountKey> => {
  const found = new Set<AccountKey>([frame.inner.source, frame.feeSource])
  for (const operation of frame.inner.operations) {
    found.add(operation.source)
    for (const named of namedBy(operation.body)) found.add(named)
  }
  addChanged(found, fee)
  addChanged(found, changes.before)
  for (const operation of changes.operations) addChanged(found, operation)
  return found
}
