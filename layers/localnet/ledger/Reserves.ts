/** Balances and the reserve below which they must not fall (stellar-core src/transactions/TransactionUtils.cpp). */
import { type AccountState, INT64_MAX, type TrustlineState } from "./Entries.ts"

/** What of the ledger header validation and application depend on. */
export interface LedgerTerms {
  readonly sequence: number
  /** Unix seconds. */
  readonly closeTime: bigint
  readonly baseFee: bigint
  readonly baseReserve: bigint
  readonly protocolVersion: number
  readonly networkId: Uint8Array
}

/** (2 + numSubEntries + numSponsoring - numSponsored) * baseReserve, in stroops (CAP-33). */
export const minimumBalance = (account: AccountState, terms: LedgerTerms): bigint =>
  BigInt(2 + account.subEntries + account.sponsoring - account.sponsored) * terms.baseReserve

/** What may be spent: may be negative for an account below its reserve. */
export const availableBalance = (account: AccountState, terms: LedgerTerms): bigint =>
  account.balance - minimumBalance(account, terms)

/** The account with `amount` stroops more; undefined past int64. */
export const withMore = (account: AccountState, amount: bigint): AccountState | undefined => {
  const balance = account.balance + amount
  return balance > INT64_MAX ? undefined : { ...account, balance }
}

/** The trustline with `delta` more; undefined below zero or above its limit. */
export const withLineBalance = (line: TrustlineState, delta: bigint): TrustlineState | undefined => {
  const balance = line.balance + delta
  return balance < 0n || balance > line.limit ? undefined : { ...line, balance }
}
