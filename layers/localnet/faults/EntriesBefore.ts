/** The ledger entries as they were before a closed ledger, out of what the ledger's metadata says it changed. */
import { xdr } from "@stellar/stellar-sdk"
import type { AppliedTransaction, ClosedLedger, StoredEntry } from "../Network.ts"

/** Base64 of the LedgerKey -> the entry before; undefined where there was none. */
export type EntriesBefore = ReadonlyMap<string, StoredEntry | undefined>

export const ledgerKeyOf = ({ data }: xdr.LedgerEntry): xdr.LedgerKey => {
  switch (data.type) {
    case "account":
      return xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: data.account.accountId }))
    case "trustline": {
      const { accountId, asset } = data.trustLine
      return xdr.LedgerKey.trustline(new xdr.LedgerKeyTrustLine({ accountId, asset }))
    }
    case "data": {
      const { accountId, dataName } = data.data
      return xdr.LedgerKey.data(new xdr.LedgerKeyData({ accountId, dataName }))
    }
    case "claimableBalance": {
      const { balanceId } = data.claimableBalance
      return xdr.LedgerKey.claimableBalance(new xdr.LedgerKeyClaimableBalance({ balanceId }))
    }
    default:
      throw new Error(`this network has no entries of type ${data.type}`)
  }
}

/** An OperationMeta is nothing but LedgerEntryChanges: the same bytes. */
const feeChanges = (transaction: AppliedTransaction): ReadonlyArray<xdr.LedgerEntryChange> =>
  xdr.OperationMeta.fromXdr(transaction.feeMetaXdr, "base64").changes

const applyChanges = (transaction: AppliedTransaction): ReadonlyArray<xdr.LedgerEntryChange> => {
  const meta = xdr.TransactionMeta.fromXdr(transaction.resultMetaXdr, "base64")
  if (meta.type !== "v4") throw new Error(`metadata of version ${meta.type}`)
  const { operations, txChangesAfter, txChangesBefore } = meta.v4
  return [...txChangesBefore, ...operations.flatMap(({ changes }) => changes), ...txChangesAfter]
}

/** The first mention of an entry tells how it was: its state, or that it was created. */
const collect = (
  found: Map<string, StoredEntry | undefined>,
  changes: ReadonlyArray<xdr.LedgerEntryChange>,
): void => {
  for (const change of changes) {
    if (change.type === "ledgerEntryState") {
      const entry = change.state
      const key = ledgerKeyOf(entry).toXdr("base64")
      if (!found.has(key)) found.set(key, { entry, lastModifiedLedger: entry.lastModifiedLedgerSeq })
    } else if (change.type === "ledgerEntryCreated") {
      const key = ledgerKeyOf(change.created).toXdr("base64")
      if (!found.has(key)) found.set(key, undefined)
    }
  }
}

/** Fees of all transactions are taken before the first one applies, so their changes come first. */
export const entriesBefore = (ledger: ClosedLedger): EntriesBefore => {
  const found = new Map<string, StoredEntry | undefined>()
  for (const transaction of ledger.transactions) collect(found, feeChanges(transaction))
  for (const transaction of ledger.transactions) collect(found, applyChanges(transaction))
  return found
}
