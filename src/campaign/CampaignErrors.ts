/** What can be wrong with a campaign, as stable codes. Services know no HTTP: see api/Problems.ts. */
import { Schema } from "effect"

export class CampaignNotFound extends Schema.TaggedError<CampaignNotFound>()("CampaignNotFound", {
  message: Schema.String,
}) {
  readonly code = "campaign.not_found" as const
}

export class CampaignNotActive extends Schema.TaggedError<CampaignNotActive>()("CampaignNotActive", {
  message: Schema.String,
}) {
  readonly code = "campaign.not_active" as const
}

export class CampaignBudgetExhausted extends Schema.TaggedError<CampaignBudgetExhausted>()(
  "CampaignBudgetExhausted",
  { message: Schema.String },
) {
  readonly code = "campaign.budget_exhausted" as const
}

export class CampaignDatesReversed extends Schema.TaggedError<CampaignDatesReversed>()(
  "CampaignDatesReversed",
  { message: Schema.String },
) {
  readonly code = "campaign.dates_reversed" as const
}

/** The wallet's account would get more in this period than the campaign gives to one wallet. */
export class CampaignWalletCapReached extends Schema.TaggedError<CampaignWalletCapReached>()(
  "CampaignWalletCapReached",
  { message: Schema.String },
) {
  readonly code = "campaign.wallet_cap_reached" as const
}

/** The new budget is less than what is promised and paid already. */
export class CampaignBudgetBelowPromised extends Schema.TaggedError<CampaignBudgetBelowPromised>()(
  "CampaignBudgetBelowPromised",
  { message: Schema.String },
) {
  readonly code = "campaign.budget_below_promised" as const
}

/** An ended campaign stays ended. */
export class CampaignEnded extends Schema.TaggedError<CampaignEnded>()("CampaignEnded", {
  message: Schema.String,
}) {
  readonly code = "campaign.ended" as const
}

export type CampaignError =
  | CampaignNotFound
  | CampaignNotActive
  | CampaignBudgetExhausted
  | CampaignDatesReversed
  | CampaignWalletCapReached
  | CampaignBudgetBelowPromised
  | CampaignEnded
