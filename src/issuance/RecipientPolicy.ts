/**
 * What becomes of a reward whose recipient cannot take a payment: by the reason, and by what its campaign says about
 * missing trustlines. Pure, and a table.
 *
 * Invariant: every reason has an answer under every policy, and none of them pays anybody else or loses the reward.
 *
 * Sources: SEP-29 (memo required); CAP-23 (claimable balances)
 */
import type { IssuanceReason } from "./Issuance.ts"

export type MissingTrustlinePolicy = "fail" | "hold" | "claimable_balance"

export type Disposition =
  /** Ends, and its budget is free again. */
  | "fail"
  /** Waits for the recipient; the ledger is asked again now and then. */
  | "hold"
  /** Waits for a person: nothing that the ledger shows could settle it. */
  | "hold_for_person"
  /** Is left as a claimable balance, which needs neither account nor trustline. */
  | "claimable_balance"

const byPolicy = (fail: Disposition, hold: Disposition, claimable: Disposition) => ({
  fail,
  hold,
  claimable_balance: claimable,
})

const TABLE: Record<IssuanceReason, Record<MissingTrustlinePolicy, Disposition>> = {
  no_trustline: byPolicy("fail", "hold", "claimable_balance"),
  no_account: byPolicy("fail", "hold", "claimable_balance"),
  // A balance that the recipient may not take, or has no room for, would only come back to us.
  limit_exceeded: byPolicy("fail", "hold", "hold"),
  not_authorized: byPolicy("fail", "hold", "hold"),
  // The recipient may stop asking for memos; failing would lose the reward for a setting of the wallet.
  memo_required: byPolicy("hold", "hold", "hold"),
  rejected_by_network: byPolicy("fail", "fail", "fail"),
  campaign_paused: byPolicy("hold_for_person", "hold_for_person", "hold_for_person"),
  above_signing_cap: byPolicy("hold_for_person", "hold_for_person", "hold_for_person"),
  under_review: byPolicy("hold_for_person", "hold_for_person", "hold_for_person"),
}

/** A claimable balance names an account: which of a muxed account's holders it is for would be lost. */
export const dispositionOf = (
  reason: IssuanceReason,
  policy: MissingTrustlinePolicy,
  walletAddress: string,
): Disposition => {
  const disposition = TABLE[reason][policy]
  return disposition === "claimable_balance" && !walletAddress.startsWith("G") ? "hold" : disposition
}

/** How long after being held the ledger is asked the first time, in ms. */
export const FIRST_CHECK_MS = 5_000
