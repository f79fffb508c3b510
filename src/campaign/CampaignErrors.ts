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

export type CampaignError =
  | CampaignNotFound
  | CampaignNotActive
  | CampaignBudgetExhausted
  | CampaignDatesReversed
