/**
 * An issuance: one accepted reward on its way to one payment on the ledger.
 *
 * The state table is data. The statements that change states name both ends themselves; the tests hold every line of
 * every history that they produce against this table (test/support/IssuanceScene.ts). A time-out is never a failure:
 * `submitted` ends only by what the ledger shows (docs/adr/0003-at-most-once.md).
 */
import { Schema } from "effect"

export const IssuanceStatus = Schema.Literals([
  "pending",
  "submitted",
  "confirmed",
  "failed",
  "held",
  "cancelled",
])
export type IssuanceStatus = typeof IssuanceStatus.Type

export const transitions: Record<IssuanceStatus, ReadonlyArray<IssuanceStatus>> = {
  // A worker bound it to a (channel, sequence); or somebody took it back; or it must wait for a person.
  pending: ["submitted", "cancelled", "held"],
  // An envelope applied with it (confirmed), applied without success because of it (failed, held), or applied or
  // provably expired without it (back to pending).
  submitted: ["confirmed", "failed", "held", "pending"],
  held: ["pending", "cancelled", "failed"],
  // Its claimable balance was not taken and came back: the payment and its proof stay what they were.
  confirmed: ["confirmed"],
  // Only by recovery: the ledger shows a payment that this database had lost when the reward ended here. The money is
  // gone, so its budget and its part of a wallet's cap are taken again (src/operate/PromiseAgain.ts).
  failed: ["confirmed"],
  cancelled: ["confirmed"],
}

export const canMove = (from: IssuanceStatus, to: IssuanceStatus): boolean => transitions[from].includes(to)

/** Why an issuance failed or is held, as merchants see it. Append-only. */
export const IssuanceReason = Schema.Literals([
  "no_trustline",
  "no_account",
  "limit_exceeded",
  "not_authorized",
  "rejected_by_network",
  // The recipient's account asks for a memo (SEP-29), and a batch has none to give.
  "memo_required",
  "campaign_paused",
  // More than the signer signs in one transaction (NOVA_SIGNER_TRANSACTION_CAP).
  "above_signing_cap",
  // A payment that the database lost looks like this one: an operator says whether it is (nova recover).
  "under_review",
])
export type IssuanceReason = typeof IssuanceReason.Type
