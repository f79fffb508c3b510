/** A campaign: a budget that rewards are paid from, between two dates. Amounts in stroops. */
import { Schema } from "effect"

export const CampaignStatus = Schema.Literals(["active", "paused", "ended"])
export type CampaignStatus = typeof CampaignStatus.Type

export interface Campaign {
  readonly id: string
  readonly name: string
  readonly status: CampaignStatus
  readonly startsAt: Date
  readonly endsAt: Date | null
  readonly budgetStroops: bigint
  /** Promised to accepted issuances that are not paid yet. */
  readonly reservedStroops: bigint
  readonly spentStroops: bigint
  readonly createdAt: Date
}

/** What is left to promise, in stroops. */
export const remainingStroops = (campaign: Campaign): bigint =>
  campaign.budgetStroops - campaign.reservedStroops - campaign.spentStroops

/** Why nothing can be issued from the campaign at `at`; undefined when it can. */
export const reasonNotActive = (campaign: Campaign, at: Date): string | undefined => {
  if (campaign.status !== "active") return `The campaign is ${campaign.status}.`
  if (at < campaign.startsAt) return `The campaign starts at ${campaign.startsAt.toISOString()}.`
  if (campaign.endsAt !== null && at >= campaign.endsAt)
    return `The campaign ended at ${campaign.endsAt.toISOString()}.`
  return undefined
}
