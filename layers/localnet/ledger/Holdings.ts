/**
 * Giving and taking an amount of an asset: lumens on the account, anything else on a trustline, and for its
 * issuer a line without end (stellar-core src/ledger/TrustLineWrapper.cpp IssuerImpl).
 */
import { issuerOf } from "./Codec.ts"
import { type AccountKey, type AssetKey, TrustlineFlag } from "./Entries.ts"
import { availableBalance, withLineBalance, withMore } from "./Reserves.ts"
import { existing, type SponsorshipContext } from "./Sponsorship.ts"

export type CreditRefusal = "noTrust" | "notAuthorized" | "lineFull"
export type DebitRefusal = "noTrust" | "notAuthorized" | "underfunded"

/** Adds to what an existing account holds; undefined when it took the amount. */
export const credit = (
  { state }: SponsorshipContext,
  to: AccountKey,
  asset: AssetKey,
  amount: bigint,
): CreditRefusal | undefined => {
  if (asset === "native") {
    const account = withMore(existing(state, to), amount)
    if (account === undefined) return "lineFull"
    state.put(account)
    return undefined
  }
  // A payment to the issuer burns.
  if (issuerOf(asset) === to) return undefined
  const line = state.trustline(to, asset)
  if (line === undefined) return "noTrust"
  if ((line.flags & TrustlineFlag.authorized) === 0) return "notAuthorized"
  const filled = withLineBalance(line, amount)
  if (filled === undefined) return "lineFull"
  state.put(filled)
  return undefined
}

/** Takes from what an account holds, lumens only from above its reserve; undefined when it gave the amount. */
export const debit = (
  { state, terms }: SponsorshipContext,
  from: AccountKey,
  asset: AssetKey,
  amount: bigint,
): DebitRefusal | undefined => {
  if (asset === "native") {
    const account = existing(state, from)
    if (amount > availableBalance(account, terms)) return "underfunded"
    state.put({ ...account, balance: account.balance - amount })
    return undefined
  }
  // A payment by the issuer mints.
  if (issuerOf(asset) === from) return undefined
  const line = state.trustline(from, asset)
  if (line === undefined) return "noTrust"
  if ((line.flags & TrustlineFlag.authorized) === 0) return "notAuthorized"
  const left = withLineBalance(line, -amount)
  if (left === undefined) return "underfunded"
  state.put(left)
  return undefined
}
