/** Ledger entries to XDR and back. */
import { xdr } from "@stellar/stellar-sdk"
import {
  accountId,
  accountOf,
  assetOf,
  assetXdr,
  bytesOf,
  hexOf,
  signerKeyOf,
  signerKeyXdr,
  trustlineAssetXdr,
} from "./Codec.ts"
import {
  type AccountKey,
  type AccountState,
  accountKey,
  type ClaimableBalanceState,
  claimableBalanceKey,
  type DataState,
  dataKey,
  type Entry,
  type EntryKey,
  newAccount,
  type TrustlineState,
  trustlineKey,
} from "./Entries.ts"
import { predicateOf, predicateXdr } from "./Predicates.ts"

const nullable = (key: AccountKey | null): xdr.AccountId | null => (key === null ? null : accountId(key))
const keyOrNull = (id: xdr.AccountId | null): AccountKey | null => (id === null ? null : accountOf(id))

const accountExtension = (account: AccountState): xdr.AccountEntryExt => {
  if (account.extension === 0) return xdr.AccountEntryExt.v0()
  const v3 =
    account.extension < 3
      ? xdr.AccountEntryExtensionV2Ext.v0()
      : xdr.AccountEntryExtensionV2Ext.v3(
          new xdr.AccountEntryExtensionV3({
            ext: xdr.ExtensionPoint.v0(),
            seqLedger: account.sequenceLedger,
            seqTime: account.sequenceTime,
          }),
        )
  const v2 =
    account.extension < 2
      ? xdr.AccountEntryExtensionV1Ext.v0()
      : xdr.AccountEntryExtensionV1Ext.v2(
          new xdr.AccountEntryExtensionV2({
            numSponsored: account.sponsored,
            numSponsoring: account.sponsoring,
            signerSponsoringIDs: account.signerSponsors.map(nullable),
            ext: v3,
          }),
        )
  const liabilities = new xdr.Liabilities({ buying: 0n, selling: 0n })
  return xdr.AccountEntryExt.v1(new xdr.AccountEntryExtensionV1({ liabilities, ext: v2 }))
}

const accountData = (account: AccountState): xdr.LedgerEntryData =>
  xdr.LedgerEntryData.account(
    new xdr.AccountEntry({
      accountId: accountId(account.id),
      balance: account.balance,
      seqNum: account.sequence,
      numSubEntries: account.subEntries,
      inflationDest: nullable(account.inflationDestination),
      flags: account.flags,
      homeDomain: account.homeDomain,
      thresholds: Uint8Array.from(account.thresholds),
      signers: account.signers.map(
        (signer) => new xdr.Signer({ key: signerKeyXdr(signer.key), weight: signer.weight }),
      ),
      ext: accountExtension(account),
    }),
  )

const trustlineData = (line: TrustlineState): xdr.LedgerEntryData =>
  xdr.LedgerEntryData.trustline(
    new xdr.TrustLineEntry({
      accountId: accountId(line.account),
      asset: trustlineAssetXdr(line.asset),
      balance: line.balance,
      limit: line.limit,
      flags: line.flags,
      ext: xdr.TrustLineEntryExt.v0(),
    }),
  )

const dataData = (data: DataState): xdr.LedgerEntryData =>
  xdr.LedgerEntryData.data(
    new xdr.DataEntry({
      accountId: accountId(data.account),
      dataName: Buffer.from(data.name, "latin1"),
      dataValue: data.value,
      ext: xdr.DataEntryExt.v0(),
    }),
  )

const claimableBalanceData = (balance: ClaimableBalanceState): xdr.LedgerEntryData =>
  xdr.LedgerEntryData.claimableBalance(
    new xdr.ClaimableBalanceEntry({
      balanceId: xdr.ClaimableBalanceId.claimableBalanceIdTypeV0(bytesOf(balance.id)),
      claimants: balance.claimants.map((claimant) =>
        xdr.Claimant.claimantTypeV0(
          new xdr.ClaimantV0({
            destination: accountId(claimant.destination),
            predicate: predicateXdr(claimant.predicate),
          }),
        ),
      ),
      asset: assetXdr(balance.asset),
      amount: balance.amount,
      ext: balance.clawbackEnabled
        ? xdr.ClaimableBalanceEntryExt.v1(
            new xdr.ClaimableBalanceEntryExtensionV1({
              ext: xdr.ClaimableBalanceEntryExtensionV1Ext.v0(),
              flags: 1,
            }),
          )
        : xdr.ClaimableBalanceEntryExt.v0(),
    }),
  )

const entryData = (entry: Entry): xdr.LedgerEntryData => {
  switch (entry.kind) {
    case "account":
      return accountData(entry)
    case "trustline":
      return trustlineData(entry)
    case "data":
      return dataData(entry)
    case "claimableBalance":
      return claimableBalanceData(entry)
  }
}

const cache = new WeakMap<Entry, xdr.LedgerEntry>()

/** Entries are immutable, so each is translated once however often it is read. */
export const entryXdr = (entry: Entry): xdr.LedgerEntry => {
  const known = cache.get(entry)
  if (known !== undefined) return known
  const made = new xdr.LedgerEntry({
    lastModifiedLedgerSeq: entry.lastModified,
    data: entryData(entry),
    ext:
      entry.entryExtension === 0
        ? xdr.LedgerEntryExt.v0()
        : xdr.LedgerEntryExt.v1(
            new xdr.LedgerEntryExtensionV1({
              sponsoringId: nullable(entry.sponsor),
              ext: xdr.LedgerEntryExtensionV1Ext.v0(),
            }),
          ),
  })
  cache.set(entry, made)
  return made
}

export const entryKeyXdr = (entry: Entry): xdr.LedgerKey => {
  switch (entry.kind) {
    case "account":
      return xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: accountId(entry.id) }))
    case "trustline":
      return xdr.LedgerKey.trustline(
        new xdr.LedgerKeyTrustLine({
          accountId: accountId(entry.account),
          asset: trustlineAssetXdr(entry.asset),
        }),
      )
    case "data":
      return xdr.LedgerKey.data(
        new xdr.LedgerKeyData({
          accountId: accountId(entry.account),
          dataName: Buffer.from(entry.name, "latin1"),
        }),
      )
    case "claimableBalance":
      return xdr.LedgerKey.claimableBalance(
        new xdr.LedgerKeyClaimableBalance({
          balanceId: xdr.ClaimableBalanceId.claimableBalanceIdTypeV0(bytesOf(entry.id)),
        }),
      )
  }
}

/** The engine's key of a LedgerKey; undefined for the kinds of entry that this network does not hold. */
export const entryKeyOf = (key: xdr.LedgerKey): EntryKey | undefined => {
  switch (key.type) {
    case "account":
      return accountKey(accountOf(key.account.accountId))
    case "trustline": {
      const asset = assetOf(key.trustLine.asset)
      return asset === undefined ? undefined : trustlineKey(accountOf(key.trustLine.accountId), asset)
    }
    case "data":
      return dataKey(accountOf(key.data.accountId), Buffer.from(key.data.dataName.bytes).toString("latin1"))
    case "claimableBalance":
      return claimableBalanceKey(hexOf(key.claimableBalance.balanceId.v0.value))
    default:
      return undefined
  }
}

const accountFrom = (account: xdr.AccountEntry): AccountState => {
  const v1 = account.ext.type === "v1" ? account.ext.v1 : undefined
  const v2 = v1?.ext.type === "v2" ? v1.ext.v2 : undefined
  const v3 = v2?.ext.type === "v3" ? v2.ext.v3 : undefined
  const [master = 0, low = 0, medium = 0, high = 0] = account.thresholds.value
  return {
    ...newAccount(accountOf(account.accountId), account.balance, account.seqNum),
    subEntries: account.numSubEntries,
    inflationDestination: keyOrNull(account.inflationDest),
    flags: account.flags,
    homeDomain: account.homeDomain.bytes,
    thresholds: [master, low, medium, high],
    signers: account.signers.map((signer) => ({ key: signerKeyOf(signer.key), weight: signer.weight })),
    extension: v3 !== undefined ? 3 : v2 !== undefined ? 2 : v1 !== undefined ? 1 : 0,
    sponsored: v2?.numSponsored ?? 0,
    sponsoring: v2?.numSponsoring ?? 0,
    signerSponsors: v2?.signerSponsoringIDs.map(keyOrNull) ?? [],
    sequenceLedger: v3?.seqLedger ?? 0,
    sequenceTime: v3?.seqTime ?? 0n,
  }
}

type Content<E> = E extends Entry ? Omit<E, "lastModified" | "sponsor" | "entryExtension"> : never

const contentFrom = (data: xdr.LedgerEntryData): Content<Entry> => {
  switch (data.type) {
    case "account":
      return accountFrom(data.account)
    case "trustline": {
      const line = data.trustLine
      const { balance, limit, flags } = line
      const asset = assetOf(line.asset)
      if (asset === undefined) throw new Error("a trustline of an invalid asset")
      return { kind: "trustline", account: accountOf(line.accountId), asset, balance, limit, flags }
    }
    case "data":
      return {
        kind: "data",
        account: accountOf(data.data.accountId),
        name: Buffer.from(data.data.dataName.bytes).toString("latin1"),
        value: data.data.dataValue.value,
      }
    case "claimableBalance": {
      const balance = data.claimableBalance
      const asset = assetOf(balance.asset)
      if (asset === undefined) throw new Error("a claimable balance of an invalid asset")
      return {
        kind: "claimableBalance",
        id: hexOf(balance.balanceId.v0.value),
        claimants: balance.claimants.map(({ v0 }) => ({
          destination: accountOf(v0.destination),
          predicate: predicateOf(v0.predicate),
        })),
        asset,
        amount: balance.amount,
        clawbackEnabled: balance.ext.type === "v1" && (balance.ext.v1.flags & 1) !== 0,
      }
    }
    default:
      throw new Error(`an entry of type ${data.type}, which this network does not hold`)
  }
}

export const entryFrom = (entry: xdr.LedgerEntry): Entry => ({
  ...contentFrom(entry.data),
  lastModified: entry.lastModifiedLedgerSeq,
  sponsor: entry.ext.type === "v1" ? keyOrNull(entry.ext.v1.sponsoringId) : null,
  entryExtension: entry.ext.type === "v1" ? 1 : 0,
})
