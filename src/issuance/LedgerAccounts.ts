/**
 * Account entries read from Stellar RPC: what the ledger itself says, at the ledger that the answer names.
 *
 * Invariant: one view is one answer, so the sequences in it and the ledger beside them belong together, and proof of
 * expiry (docs/adr/0003-at-most-once.md) may rest on it. How it would break: a view put together from two calls.
 */
import { Asset, type xdr } from "@stellar/stellar-sdk"
import { Effect } from "effect"
import { Signer } from "../ports/Signer.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { accountKey, type LedgerEntries, readLedgerEntries, trustlineKey } from "./LedgerEntries.ts"

export interface LedgerAccount {
  readonly sequence: bigint
  /** The ledger in which the sequence last changed (CAP-21); undefined until it has changed once. */
  readonly sequenceLedger: number | undefined
  readonly balanceStroops: bigint
  /** What it can spend, fees included: balance less minimum balance and selling liabilities; may be negative. */
  readonly availableStroops: bigint
}

/** What the distribution account has to give. */
export interface Treasury {
  /** Of the asset: balance less selling liabilities; 0 without a trustline. */
  readonly assetStroops: bigint
  /** XLM above its minimum balance, in stroops; may be negative. */
  readonly nativeAvailableStroops: bigint
}

export interface AccountsView {
  /** The ledger that all of the accounts speak of. */
  readonly latestLedger: number
  /** By G address; accounts that the ledger does not have are absent. */
  readonly accounts: ReadonlyMap<string, LedgerAccount>
  /** Undefined where it was not asked for, or the distribution account does not exist. */
  readonly treasury: Treasury | undefined
}

/** Half an XLM on every network there is; a vote of the validators may change it (LedgerHeader.baseReserve). */
export const BASE_RESERVE_STROOPS = 5_000_000n

/** What CAP-33 makes of the balance that must stay: (2 + subentries + sponsoring - sponsored) base reserves. */
const minimumBalance = (entry: xdr.AccountEntry): bigint => {
  const v2 = entry.ext.type === "v1" && entry.ext.v1.ext.type === "v2" ? entry.ext.v1.ext.v2 : undefined
  const reserves = 2 + entry.numSubEntries + (v2?.numSponsoring ?? 0) - (v2?.numSponsored ?? 0)
  return BigInt(reserves) * BASE_RESERVE_STROOPS
}

const sequenceLedgerOf = ({ ext }: xdr.AccountEntry): number | undefined => {
  if (ext.type !== "v1" || ext.v1.ext.type !== "v2" || ext.v1.ext.v2.ext.type !== "v3") return undefined
  return ext.v1.ext.v2.ext.v3.seqLedger
}

const toAccount = (entry: xdr.AccountEntry): LedgerAccount => {
  const selling = entry.ext.type === "v1" ? entry.ext.v1.liabilities.selling : 0n
  return {
    sequence: entry.seqNum,
    sequenceLedger: sequenceLedgerOf(entry),
    balanceStroops: entry.balance,
    availableStroops: entry.balance - minimumBalance(entry) - selling,
  }
}

/** The account, where it was asked for and the ledger has it. */
export const accountIn = ({ entries }: LedgerEntries, address: string): LedgerAccount | undefined => {
  const entry = entries.get(accountKey(address))
  return entry?.type === "account" ? toAccount(entry.account) : undefined
}

const accountsIn = (answer: LedgerEntries, addresses: ReadonlyArray<string>) => {
  const accounts = new Map<string, LedgerAccount>()
  for (const address of addresses) {
    const account = accountIn(answer, address)
    if (account !== undefined) accounts.set(address, account)
  }
  return accounts
}

/** The accounts (at most 200) in one call, so that all of them are of one ledger. */
export const readAccounts = Effect.fn("LedgerAccounts.readAccounts")(function* (
  addresses: ReadonlyArray<string>,
) {
  const answer = yield* readLedgerEntries(addresses.map(accountKey))
  return {
    latestLedger: answer.latestLedger,
    accounts: accountsIn(answer, addresses),
    treasury: undefined,
  } satisfies AccountsView
})

const spendable = (entry: xdr.LedgerEntryData | undefined): bigint => {
  if (entry?.type !== "trustline") return 0n
  const { balance, ext } = entry.trustLine
  return ext.type === "v1" ? balance - ext.v1.liabilities.selling : balance
}

/**
 * The accounts (at most 198) with the distribution account and its trustline in the same call: what there is to pay
 * with at the very ledger that the accounts speak of. The distribution account is in the view's accounts too.
 */
export const readTreasury = Effect.fn("LedgerAccounts.readTreasury")(function* (
  addresses: ReadonlyArray<string>,
) {
  const { distributionAddress } = yield* Signer
  const { assetCode, assetIssuer } = yield* IssuanceSettings
  const line = trustlineKey(distributionAddress, new Asset(assetCode, assetIssuer))
  const wanted = [distributionAddress, ...addresses.filter((address) => address !== distributionAddress)]
  const answer = yield* readLedgerEntries([line, ...wanted.map(accountKey)])
  const distribution = accountIn(answer, distributionAddress)
  return {
    latestLedger: answer.latestLedger,
    accounts: accountsIn(answer, wanted),
    treasury: distribution && {
      assetStroops: spendable(answer.entries.get(line)),
      nativeAvailableStroops: distribution.availableStroops,
    },
  } satisfies AccountsView
})
