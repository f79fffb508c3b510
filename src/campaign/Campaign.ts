/** A campaign: a budget that rewards are paid from, between two dates, by its own policies. Amounts in stroops. */
import { Schema } from "effect"
import type { CapPeriod } from "./CapPeriod.ts"

export const CampaignStatus = Schema.Literals(["active", "paused", "ended"])
export type CampaignStatus = typeof CampaignStatus.Type

/** What becomes of a reward whose wallet cannot take a payment of the asset. */
export const OnMissingTrustline = Schema.Literals(["fail", "hold", "claimable_balance"])
export type OnMissingTrustline = typeof OnMissingTrustline.Type

/** As the column's default: after this time an unclaimed balance is taken back. */
export const RECLAIM_AFTER_DAYS_DEFAULT = 30

export const SECONDS_PER_DAY = 86_400

export interface Campaign {
  readonly id: string
  readonly name: string
  readonly status: CampaignStatus
  readonly startsAt: Date
  /** Exclusive. */
  readonly endsAt: Date | null
  readonly budgetStroops: bigint
  /** Promised to accepted issuances that are not paid yet. */
  readonly reservedStroops: bigint
  readonly spentStroops: bigint
  readonly onMissingTrustline: OnMissingTrustline
  /** Seconds until an unclaimed balance may be taken back. */
  readonly reclaimAfterS: bigint
  /** What one account may get in each period; null with the period when there is no cap. */
  readonly walletCapStroops: bigint | null
  readonly walletCapPeriod: CapPeriod | null
  readonly createdAt: Date
}

/** What is left to promise, in stroops. */
export const remainingStroops = (
  campaign: Pick<Campaign, "budgetStroops" | "reservedStroops" | "spentStroops">,
): bigint => campaign.budgetStroops - campaign.reservedStroops - campaign.spentStroops

/** Why nothing can be issued from the campaign at `at`; undefined when it can. */
export const reasonNotActive = (
  campaign: Pick<Campaign, "status" | "startsAt" | "endsAt">,
  at: Date,
): string | undefined => {
  if (campaign.status !== "active") return `The campaign is ${campaign.status}.`
  if (at < campaign.startsAt) return `The campaign starts at ${campaign.startsAt.toISOString()}.`
  if (campaign.endsAt !== null && at >= campaign.endsAt)
    return `The campaign ended at ${campaign.endsAt.toISOString()}.`
  return undefined
}
