import type { MissingTrustlinePolicy } from "./RecipientPolicy.ts"

/** What one operation of a batch's transaction pays, and for which issuance. */
export interface BatchPayment {
  readonly issuanceId: string
  /** G... or M... */
  readonly walletAddress: string
  readonly amountStroops: bigint
  readonly payout: "payment" | "claimable_balance"
  /** From when we may take an unclaimed balance back, in seconds after it was made. */
  readonly reclaimAfterSeconds: number
}

/** A reward that is bound to a channel's sequence, with what decides about it before it is signed. */
export interface BoundReward extends BatchPayment {
  /** The account that is paid, G... */
  readonly walletAccount: string
  readonly policy: MissingTrustlinePolicy
}
