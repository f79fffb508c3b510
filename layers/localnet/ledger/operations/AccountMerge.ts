/** stellar-core src/transactions/MergeOpFrame.cpp */
import { xdr } from "@stellar/stellar-sdk"
import { muxedAccountOf } from "../Codec.ts"
import { AccountFlag, type AccountKey, accountKey } from "../Entries.ts"
import {
  type ApplyContext,
  failed,
  type OperationRules,
  type Outcome,
  succeeded,
  Threshold,
} from "../Operations.ts"
import { withMore } from "../Reserves.ts"
import { existing, isSponsoring, removeEntry, removeSigner } from "../Sponsorship.ts"

const answer = xdr.OperationResultTr.accountMerge
const MALFORMED = failed(answer(xdr.AccountMergeResult.accountMergeMalformed()))
const NO_ACCOUNT = failed(answer(xdr.AccountMergeResult.accountMergeNoAccount()))
const IMMUTABLE_SET = failed(answer(xdr.AccountMergeResult.accountMergeImmutableSet()))
const HAS_SUB_ENTRIES = failed(answer(xdr.AccountMergeResult.accountMergeHasSubEntries()))
const SEQNUM_TOO_FAR = failed(answer(xdr.AccountMergeResult.accountMergeSeqnumTooFar()))
const DEST_FULL = failed(answer(xdr.AccountMergeResult.accountMergeDestFull()))
const IS_SPONSOR = failed(answer(xdr.AccountMergeResult.accountMergeIsSponsor()))

/** A recreated account starts at this ledger's sequence, which must not be behind one that was used. */
const isSequenceTooFar = (source: AccountKey, sequence: bigint, context: ApplyContext): boolean => {
  const starting = BigInt(context.terms.sequence) << 32n
  return sequence >= starting || (context.sequencesInLedger.get(source) ?? 0n) >= starting
}

const refusal = (source: AccountKey, to: AccountKey, context: ApplyContext): Outcome | undefined => {
  const { state, sponsorships } = context
  if (state.account(to) === undefined) return NO_ACCOUNT
  const account = existing(state, source)
  if ((account.flags & AccountFlag.immutable) !== 0) return IMMUTABLE_SET
  if (account.subEntries !== account.signers.length) return HAS_SUB_ENTRIES
  if (isSequenceTooFar(source, account.sequence, context)) return SEQNUM_TOO_FAR
  return isSponsoring(sponsorships, source) || account.sponsoring > 0 ? IS_SPONSOR : undefined
}

export const accountMerge: OperationRules<xdr.MuxedAccount> = {
  threshold: () => Threshold.high,
  check: (destination, { source }) => (muxedAccountOf(destination) === source ? MALFORMED : undefined),
  apply: (destination, { source }, context) => {
    const { state } = context
    const to = muxedAccountOf(destination)
    const refused = refusal(source, to, context)
    if (refused !== undefined) return refused
    for (let left = existing(state, source).signers.length; left > 0; left--) {
      removeSigner(state, existing(state, source), left - 1)
    }
    const account = existing(state, source)
    const richer = withMore(existing(state, to), account.balance)
    if (richer === undefined) return DEST_FULL
    state.put(richer)
    removeEntry(context, account)
    state.remove(accountKey(source))
    return succeeded(answer(xdr.AccountMergeResult.accountMergeSuccess(account.balance)))
  },
}
