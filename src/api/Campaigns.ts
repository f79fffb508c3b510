/** Routes of campaigns. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { CampaignStatus } from "../campaign/Campaign.ts"
import { Amount } from "../kernel/Amount.ts"
import { CampaignId } from "../kernel/Ids.ts"
import { Instant } from "../kernel/Instant.ts"
import { plainText } from "../kernel/PlainText.ts"
import { Auth } from "./Auth.ts"
import { NoQuery, pageQuery, pageSchema } from "./Lists.ts"
import { problem } from "./Problems.ts"
import { JsonBody, NoBody } from "./RequestRules.ts"

const Money = Schema.String.annotate({
  description: "Decimal string in units of the asset, with seven places",
  examples: ["1000.0000000"],
})

export const NewCampaign = Schema.Struct({
  name: plainText(1, 200).annotateKey({ description: "For people", examples: ["Summer"] }),
  budget: Amount,
  startsAt: Schema.optionalKey(Instant.annotateKey({ description: "From now when absent" })),
  endsAt: Schema.optionalKey(
    Instant.annotateKey({ description: "The first moment after it; for ever when absent" }),
  ),
}).annotate({ identifier: "NewCampaign" })

export const Campaign = Schema.Struct({
  id: CampaignId,
  name: Schema.String,
  status: CampaignStatus,
  startsAt: Instant,
  endsAt: Schema.NullOr(Instant),
  budget: Money,
  reserved: Money.annotateKey({ description: "Promised to accepted rewards that are not paid yet" }),
  spent: Money,
  remaining: Money.annotateKey({ description: "budget - reserved - spent" }),
  createdAt: Instant,
}).annotate({ identifier: "Campaign" })

const create = HttpApiEndpoint.post("create", "/api/campaigns", {
  query: NoQuery,
  payload: NewCampaign,
  success: Campaign.pipe(HttpApiSchema.status(201)),
  error: [problem("campaign.dates_reversed")],
})
  .middleware(JsonBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Create a campaign",
      description:
        "A budget that rewards are paid from. Creating one moves no value, so it takes no idempotency key: an accidental second campaign pays nobody.",
    }),
  )

const list = HttpApiEndpoint.get("list", "/api/campaigns", {
  query: { ...pageQuery(CampaignId), status: Schema.optionalKey(CampaignStatus) },
  success: pageSchema(Campaign),
})
  .middleware(NoBody)
  .annotateMerge(OpenApi.annotations({ summary: "List campaigns, newest first" }))

const get = HttpApiEndpoint.get("get", "/api/campaigns/:id", {
  params: { id: CampaignId },
  query: NoQuery,
  success: Campaign,
  error: [problem("campaign.not_found")],
})
  .middleware(NoBody)
  .annotateMerge(OpenApi.annotations({ summary: "One campaign, with what is left of its budget" }))

export class CampaignRoutes extends HttpApiGroup.make("campaigns")
  .add(create, list, get)
  .middleware(Auth)
  .annotateMerge(OpenApi.annotations({ title: "Campaigns" })) {}
