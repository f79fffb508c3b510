/**
 * The verdict: what the ledger says about the transaction that is bound to a (channel, sequence). Pure.
 *
 * Invariant: an issuance leaves its (channel, sequence) only by `settle` or, with proof of expiry, `rebuild`; where the
 * account is gone and no sequence can prove anything, with proof by the whole history that none of ours was applied.
 * Everything else is waiting. How it would break: calling expiry from a clock or from another node's ledger
 * than the one whose account entry was read, or taking a lagging node's "not found" for an answer; so `decide`
 * takes account and ledger from one response only, and look-ups carry the range that they speak of.
 *
 * Sources: CAP-21 (ledger bounds; seqLedger), docs/adr/0003-at-most-once.md
 */

/** An envelope signed at the bound sequence. */
export interface SignedEnvelope {
  readonly hash: string
  /** The newest ledger known when it was signed. */
  readonly ledgerSigned: number
  /** Exclusive upper ledger bound. */
  readonly ledgerMax: number
  readonly expired: boolean
}

/** The channel's account in one getLedgerEntries response, and the ledger that the response speaks of. */
export interface ChannelView {
  readonly latestLedger: number
  /** Undefined when that response had no such account. */
  readonly sequence: bigint | undefined
  /** The ledger in which the sequence last changed. */
  readonly sequenceLedger: number | undefined
}

/**
 * Ledgers that a node must be beyond the one that matters (it consumed the sequence, or is the last that could hold
 * ours) before its "not found" counts: it looks for
 * the transaction first and reads its range after (stellar-rpc, get_transaction.go), so one ledger may slip between.
 */
const NOT_FOUND_MARGIN = 3

export type Decision =
  /** Nothing is alive at this sequence: build, sign, persist, send. */
  | { readonly _tag: "Build" }
  /** These can provably never apply any more; then build. */
  | { readonly _tag: "Rebuild"; readonly expired: ReadonlyArray<string> }
  /**
   * There is no such account, and none of ours can apply any more: look up these hashes, then `judgeLost`. One that is
   * created anew makes no old envelope valid: it begins at `ledger << 32`, above every sequence that the former one could
   * have (stellar-core refuses a merge that would leave one above: ACCOUNT_MERGE_SEQNUM_TOO_FAR), and an envelope needs
   * the very one below its own. Besides, their ledgers are over.
   */
  | { readonly _tag: "Lost"; readonly hashes: ReadonlyArray<string> }
  /** The sequence is consumed: look up these hashes, then `judge`. */
  | { readonly _tag: "LookUp"; readonly hashes: ReadonlyArray<string> }
  /** In flight. */
  | { readonly _tag: "Wait"; readonly alive: ReadonlyArray<string> }

export const decide = (
  view: ChannelView,
  boundSequence: bigint,
  envelopes: ReadonlyArray<SignedEnvelope>,
): Decision => {
  const alive = envelopes.filter((envelope) => !envelope.expired)
  const hashes = (list: ReadonlyArray<SignedEnvelope>) => list.map((envelope) => envelope.hash)
  const allExpired = alive.every((envelope) => view.latestLedger + 1 >= envelope.ledgerMax)
  if (view.sequence === undefined) {
    return allExpired ? { _tag: "Lost", hashes: hashes(envelopes) } : { _tag: "Wait", alive: hashes(alive) }
  }
  if (view.sequence >= boundSequence) return { _tag: "LookUp", hashes: hashes(envelopes) }
  if (alive.length === 0) return { _tag: "Build" }
  return allExpired ? { _tag: "Rebuild", expired: hashes(alive) } : { _tag: "Wait", alive: hashes(alive) }
}

/** The answer to one getTransaction call. */
export interface LookUp {
  readonly hash: string
  readonly found: boolean
  readonly latestLedger: number
  readonly oldestLedger: number
}

type Settle = { readonly _tag: "Settle"; readonly hash: string }

/** The node that answered does not yet, or no longer, know the whole range in which ours could have applied. */
type Undecided = { readonly _tag: "Undecided"; readonly reason: "node_lags" | "history_incomplete" }

export type Judgement =
  | Settle
  | Undecided
  /** The sequence was consumed by a transaction that we never signed. */
  | { readonly _tag: "UnknownHand" }

/** Whether the node that did not find the envelope must have seen the ledger that consumed the sequence. */
const isBehind = (view: ChannelView, lookUp: LookUp): boolean =>
  view.sequenceLedger === undefined || lookUp.latestLedger < view.sequenceLedger + NOT_FOUND_MARGIN

/** The one that was found, or why "not found" does not count yet; undefined when none of ours was ever applied. */
const search = (
  envelopes: ReadonlyArray<SignedEnvelope>,
  lookUps: ReadonlyArray<LookUp>,
  isTooEarly: (envelope: SignedEnvelope, lookUp: LookUp) => boolean,
): Settle | Undecided | undefined => {
  const applied = lookUps.find((lookUp) => lookUp.found)
  if (applied !== undefined) return { _tag: "Settle", hash: applied.hash }
  for (const envelope of envelopes) {
    const lookUp = lookUps.find((candidate) => candidate.hash === envelope.hash)
    if (lookUp === undefined || isTooEarly(envelope, lookUp)) {
      return { _tag: "Undecided", reason: "node_lags" }
    }
    if (lookUp.oldestLedger > envelope.ledgerSigned + 1) {
      return { _tag: "Undecided", reason: "history_incomplete" }
    }
  }
  return undefined
}

/** What the look-ups say once the sequence is consumed. `view` is the response that showed it consumed. */
export const judge = (
  view: ChannelView,
  envelopes: ReadonlyArray<SignedEnvelope>,
  lookUps: ReadonlyArray<LookUp>,
): Judgement => search(envelopes, lookUps, (_, lookUp) => isBehind(view, lookUp)) ?? { _tag: "UnknownHand" }

export type LostJudgement =
  | Settle
  | Undecided
  /** None of ours was applied in any ledger that would have taken it. */
  | { readonly _tag: "NeverApplied" }

/** What the look-ups say when the account is gone: they must know every ledger that could have held ours. */
export const judgeLost = (
  envelopes: ReadonlyArray<SignedEnvelope>,
  lookUps: ReadonlyArray<LookUp>,
): LostJudgement =>
  search(
    envelopes,
    lookUps,
    // The last ledger that may hold it is the one before its bound.
    ({ ledgerMax }, { latestLedger }) => latestLedger < ledgerMax - 1 + NOT_FOUND_MARGIN,
  ) ?? { _tag: "NeverApplied" }
