/**
 * Ledger entries as the engine keeps them: plain, immutable objects. They become XDR only where somebody
 * reads them or a hash needs them (EntryXdr.ts).
 *
 * Accounts are named by the lower-case hex of their ed25519 public key, assets by `native` or
 * `CODE:<issuer hex>`, signers by the hex of SignerKey's type followed by its content. All three order as
 * core's XDR comparison orders them.
 */

export type AccountKey = string
export type AssetKey = string
export type SignerKeyText = string

/** Shared by every entry: `sponsor` lives in LedgerEntry.ext.v1, which core creates on first sponsorship. */
interface EntryBase {
  readonly lastModified: number
  readonly sponsor: AccountKey | null
  readonly entryExtension: 0 | 1
}

export interface SignerState {
  readonly key: SignerKeyText
  readonly weight: number
}

export interface AccountState extends EntryBase {
  readonly kind: "account"
  readonly id: AccountKey
  /** Stroops. */
  readonly balance: bigint
  readonly sequence: bigint
  readonly subEntries: number
  readonly inflationDestination: AccountKey | null
  readonly flags: number
  readonly homeDomain: Uint8Array
  /** Weight of the master key, low, medium, high. */
  readonly thresholds: readonly [number, number, number, number]
  readonly signers: ReadonlyArray<SignerState>
  /** Highest AccountEntry extension present: v1 liabilities, v2 sponsorship, v3 sequence time (CAP-21). */
  readonly extension: 0 | 1 | 2 | 3
  readonly sponsored: number
  readonly sponsoring: number
  readonly signerSponsors: ReadonlyArray<AccountKey | null>
  readonly sequenceLedger: number
  readonly sequenceTime: bigint
}

export interface TrustlineState extends EntryBase {
  readonly kind: "trustline"
  readonly account: AccountKey
  readonly asset: AssetKey
  /** Stroops (units of 10^-7 of the asset). */
  readonly balance: bigint
  readonly limit: bigint
  readonly flags: number
}

export interface DataState extends EntryBase {
  readonly kind: "data"
  readonly account: AccountKey
  /** Bytes as latin1: string64 is not necessarily UTF-8. */
  readonly name: string
  readonly value: Uint8Array
}

/** A ClaimPredicate with absolute times only: relative ones are turned absolute on creation (CAP-23). */
export type Predicate =
  | { readonly is: "unconditional" }
  | { readonly is: "and" | "or"; readonly of: ReadonlyArray<Predicate> }
  | { readonly is: "not"; readonly of: Predicate | null }
  | { readonly is: "before" | "relative"; readonly seconds: bigint }

export interface ClaimantState {
  readonly destination: AccountKey
  readonly predicate: Predicate
}

export interface ClaimableBalanceState extends EntryBase {
  readonly kind: "claimableBalance"
  /** Hex of the 32-byte balance id (ClaimableBalanceID v0). */
  readonly id: string
  readonly claimants: ReadonlyArray<ClaimantState>
  readonly asset: AssetKey
  readonly amount: bigint
  readonly clawbackEnabled: boolean
}

export type Entry = AccountState | TrustlineState | DataState | ClaimableBalanceState

export type EntryKey = string

export const accountKey = (id: AccountKey): EntryKey => `A${id}`
export const trustlineKey = (account: AccountKey, asset: AssetKey): EntryKey => `T${account}${asset}`
export const dataKey = (account: AccountKey, name: string): EntryKey => `D${account}${name}`
export const claimableBalanceKey = (id: string): EntryKey => `B${id}`

export const keyOf = (entry: Entry): EntryKey => {
  switch (entry.kind) {
    case "account":
      return accountKey(entry.id)
    case "trustline":
      return trustlineKey(entry.account, entry.asset)
    case "data":
      return dataKey(entry.account, entry.name)
    case "claimableBalance":
      return claimableBalanceKey(entry.id)
  }
}

/** The account that a subentry belongs to; null for accounts and claimable balances. */
export const ownerOf = (entry: Entry): AccountKey | null =>
  entry.kind === "trustline" || entry.kind === "data" ? entry.account : null

/** AccountFlags, Stellar-ledger-entries.x. */
export const AccountFlag = { required: 1, revocable: 2, immutable: 4, clawbackEnabled: 8 } as const
/** TrustLineFlags, Stellar-ledger-entries.x. */
export const TrustlineFlag = { authorized: 1, maintainLiabilities: 2, clawbackEnabled: 4 } as const

export const INT64_MAX = 9223372036854775807n

export const newAccount = (id: AccountKey, balance: bigint, sequence: bigint): AccountState => ({
  kind: "account",
  id,
  balance,
  sequence,
  subEntries: 0,
  inflationDestination: null,
  flags: 0,
  homeDomain: new Uint8Array(0),
  thresholds: [1, 0, 0, 0],
  signers: [],
  extension: 0,
  sponsored: 0,
  sponsoring: 0,
  signerSponsors: [],
  sequenceLedger: 0,
  sequenceTime: 0n,
  sponsor: null,
  entryExtension: 0,
  lastModified: 0,
})
