/**
 * Who pays the reserve of what (CAP-33; stellar-core src/transactions/SponsorshipUtils.cpp).
 *
 * Between Begin- and EndSponsoringFutureReserves every entry or signer that the sponsored account creates is
 * paid by its sponsor.
 */
import type { AccountKey, AccountState, Entry, SignerKeyText } from "./Entries.ts"
import { availableBalance, type LedgerTerms, minimumBalance } from "./Reserves.ts"
import type { LedgerState } from "./State.ts"

export type SponsorshipOutcome = "success" | "lowReserve" | "tooManySubentries" | "tooManySponsoring"

/** Sponsorships that are open in the transaction being applied: sponsored account to sponsor. */
export type OpenSponsorships = Map<AccountKey, AccountKey>

/** ACCOUNT_SUBENTRY_LIMIT, stellar-core src/transactions/TransactionUtils.cpp getAccountSubEntryLimit. */
export const SUBENTRIES_MAX = 1000
const UINT32_MAX = 0xffffffff

export interface SponsorshipContext {
  readonly state: LedgerState
  readonly terms: LedgerTerms
  readonly sponsorships: OpenSponsorships
}

/** Reserves that an entry takes: computeMultiplier. */
export const reservesOf = (entry: Entry): number =>
  entry.kind === "account" ? 2 : entry.kind === "claimableBalance" ? entry.claimants.length : 1

/** The account with extension v2, which core adds when sponsorship first concerns it. */
export const withSponsorshipExtension = (account: AccountState): AccountState =>
  account.extension >= 2
    ? account
    : { ...account, extension: 2, signerSponsors: account.signers.map(() => null) }

/** maybeUpdateAccountOnLedgerSeqUpdate: notes in extension v3 when the sequence was last written (CAP-21). */
export const withSequenceTime = (account: AccountState, terms: LedgerTerms): AccountState => ({
  ...withSponsorshipExtension(account),
  extension: 3,
  sequenceLedger: terms.sequence,
  sequenceTime: terms.closeTime,
})

/** Whether an account sponsors another one in the transaction being applied (loadSponsorshipCounter). */
export const isSponsoring = (sponsorships: OpenSponsorships, account: AccountKey): boolean =>
  sponsorships.values().some((sponsor) => sponsor === account)

export const addSponsoring = (account: AccountState, by: number): AccountState => {
  const extended = withSponsorshipExtension(account)
  return { ...extended, sponsoring: extended.sponsoring + by }
}

export const addSponsored = (account: AccountState, by: number): AccountState => {
  const extended = withSponsorshipExtension(account)
  return { ...extended, sponsored: extended.sponsored + by }
}

const sumTooLarge = (account: AccountState, reserves: number): boolean =>
  account.sponsoring + account.subEntries + reserves > UINT32_MAX

const tooManySubentries = (account: AccountState, reserves: number): boolean =>
  account.subEntries + reserves > SUBENTRIES_MAX || sumTooLarge(account, reserves)

/** canEstablishSponsorshipHelper */
export const canSponsor = (
  sponsor: AccountState,
  reserves: number,
  terms: LedgerTerms,
): SponsorshipOutcome => {
  if (availableBalance(sponsor, terms) < BigInt(reserves) * terms.baseReserve) return "lowReserve"
  return sumTooLarge(sponsor, reserves) ? "tooManySponsoring" : "success"
}

/** An account that the ledger's own invariants promise; its absence is a bug, as core throws too. */
export const existing = (state: LedgerState, id: AccountKey): AccountState => {
  const account = state.account(id)
  if (account === undefined) throw new Error(`account ${id} is missing`)
  return account
}

const createSponsored = (
  context: SponsorshipContext,
  entry: Entry,
  sponsorId: AccountKey,
): SponsorshipOutcome => {
  const { state, terms } = context
  const reserves = reservesOf(entry)
  const owner = entry.kind === "trustline" || entry.kind === "data" ? entry.account : null
  if (owner !== null && tooManySubentries(existing(state, owner), reserves)) return "tooManySubentries"
  const outcome = canSponsor(existing(state, sponsorId), reserves, terms)
  if (outcome !== "success") return outcome
  const marked = { ...entry, sponsor: sponsorId, entryExtension: 1 } as const
  state.put(marked.kind === "account" ? addSponsored(marked, reserves) : marked)
  state.put(addSponsoring(existing(state, sponsorId), reserves))
  if (owner !== null) {
    const account = addSponsored(existing(state, owner), reserves)
    state.put({ ...account, subEntries: account.subEntries + reserves })
  }
  return "success"
}

/**
 * createEntryWithPossibleSponsorship: puts the entry, paid by the open sponsorship of its owner, or by the
 * owner. A claimable balance always has a sponsor: the sponsor of `creator`, or `creator` itself.
 */
export const createEntry = (
  context: SponsorshipContext,
  entry: Entry,
  creator: AccountKey,
): SponsorshipOutcome => {
  const { state, terms, sponsorships } = context
  const sponsor = sponsorships.get(entry.kind === "account" ? entry.id : creator)
  if (sponsor !== undefined) return createSponsored(context, entry, sponsor)
  if (entry.kind === "claimableBalance") return createSponsored(context, entry, creator)
  if (entry.kind === "account") {
    if (entry.balance < minimumBalance(entry, terms)) return "lowReserve"
    state.put(entry)
    return "success"
  }
  const owner = existing(state, creator)
  if (tooManySubentries(owner, 1)) return "tooManySubentries"
  if (availableBalance(owner, terms) < terms.baseReserve) return "lowReserve"
  state.put(entry)
  state.put({ ...owner, subEntries: owner.subEntries + 1 })
  return "success"
}

/** removeEntryWithPossibleSponsorship: gives the reserve back; the caller removes the entry. */
export const removeEntry = (context: SponsorshipContext, entry: Entry): void => {
  const { state } = context
  const reserves = reservesOf(entry)
  if (entry.sponsor !== null) state.put(addSponsoring(existing(state, entry.sponsor), -reserves))
  if (entry.kind === "trustline" || entry.kind === "data") {
    const owner = existing(state, entry.account)
    const relieved = entry.sponsor === null ? owner : addSponsored(owner, -reserves)
    state.put({ ...relieved, subEntries: relieved.subEntries - reserves })
  }
}

/** Where the signer is or would be: core keeps signers sorted by key (findSignerByKey, lower bound). */
export const signerPosition = (account: AccountState, key: SignerKeyText): number => {
  const at = account.signers.findIndex((signer) => signer.key >= key)
  return at < 0 ? account.signers.length : at
}

/** Adds a signer that the account does not have yet (createSignerWithPossibleSponsorship). */
export const createSigner = (
  context: SponsorshipContext,
  account: AccountState,
  key: SignerKeyText,
  weight: number,
): SponsorshipOutcome => {
  const { state, terms, sponsorships } = context
  const sponsorId = sponsorships.get(account.id) ?? null
  if (tooManySubentries(account, 1)) return "tooManySubentries"
  if (sponsorId !== null) {
    const outcome = canSponsor(existing(state, sponsorId), 1, terms)
    if (outcome !== "success") return outcome
    state.put(addSponsoring(existing(state, sponsorId), 1))
  } else if (availableBalance(account, terms) < terms.baseReserve) {
    return "lowReserve"
  }
  const at = signerPosition(account, key)
  const extended = sponsorId === null ? account : addSponsored(account, 1)
  state.put({
    ...extended,
    subEntries: extended.subEntries + 1,
    signers: extended.signers.toSpliced(at, 0, { key, weight }),
    signerSponsors:
      extended.extension >= 2 ? extended.signerSponsors.toSpliced(at, 0, sponsorId) : extended.signerSponsors,
  })
  return "success"
}

/** Removes the signer at a position and gives its reserve back (removeSignerWithPossibleSponsorship). */
export const removeSigner = (state: LedgerState, account: AccountState, at: number): void => {
  const sponsorId = account.signerSponsors[at] ?? null
  if (sponsorId !== null) state.put(addSponsoring(existing(state, sponsorId), -1))
  const relieved = sponsorId === null ? account : addSponsored(account, -1)
  state.put({
    ...relieved,
    subEntries: relieved.subEntries - 1,
    signers: relieved.signers.toSpliced(at, 1),
    signerSponsors:
      relieved.extension >= 2 ? relieved.signerSponsors.toSpliced(at, 1) : relieved.signerSponsors,
  })
}
