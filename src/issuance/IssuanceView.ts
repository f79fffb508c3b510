/** An issuance as its merchant sees it: the request, where it stands, its history and its proof. */
import type { IssuanceReason, IssuanceStatus } from "./Issuance.ts"

export interface IssuanceView {
  readonly id: string
  readonly idempotencyKey: string
  readonly status: IssuanceStatus
  /** Present with `failed` and `held`. */
  readonly reason: typeof IssuanceReason.Type | null
  readonly campaignId: string
  readonly walletAddress: string
  readonly amountStroops: bigint
  /** The merchant's own name for its user. */
  readonly userId: string | null
  /** 1 before 0 before -1. */
  readonly priority: number
  readonly payout: "payment" | "claimable_balance"
  /** The three are null unless it was paid out as a claimable balance. */
  readonly balanceId: string | null
  readonly reclaimAfter: Date | null
  readonly balanceStatus: "open" | "claimed" | "reclaimed" | null
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly confirmedAt: Date | null
  /** The three say which operation of the ledger paid it; all null until `confirmed`. */
  readonly txHash: string | null
  readonly ledger: bigint | null
  readonly operationIndex: number | null
}

export interface IssuanceEvent {
  readonly at: Date
  readonly from: IssuanceStatus | null
  readonly to: IssuanceStatus
  readonly reason: string | null
}

export interface IssuanceFilter {
  readonly status?: IssuanceStatus | undefined
  readonly campaignId?: string | undefined
  readonly walletAddress?: string | undefined
  /** Exclusive. */
  readonly createdAfter?: Date | undefined
  /** Exclusive. */
  readonly createdBefore?: Date | undefined
}
