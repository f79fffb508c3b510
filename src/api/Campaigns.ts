/** Routes of campaigns. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { CampaignStatus, OnMissingTrustline } from "../campaign/Campaign.ts"
import { CapPeriod } from "../campaign/CapPeriod.ts"
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

const Name = plainText(1, 200).annotateKey({ description: "For people", examples: ["Summer"] })

const Policy = OnMissingTrustline.annotateKey({
  description:
    "What becomes of a reward whose wallet has no trustline: it fails, is held until the trustline appears, or is paid as a claimable balance",
})

const RECLAIM_DAYS_MAX = 3650

const reclaimOnlyWithBalance = Schema.makeFilter(
  (campaign: { readonly onMissingTrustline?: string; readonly reclaimAfterDays?: number }) =>
    campaign.reclaimAfterDays === undefined || campaign.onMissingTrustline === "claimable_balance"
      ? undefined
      : { path: ["reclaimAfterDays"], issue: "goes with onMissingTrustline: claimable_balance only" },
)

export const NewCampaign = Schema.Struct({
  name: Name,
  budget: Amount,
  startsAt: Schema.optionalKey(Instant.annotateKey({ description: "From now when absent" })),
  endsAt: Schema.optionalKey(
    Instant.annotateKey({ description: "The first moment after it; for ever when absent" }),
  ),
  onMissingTrustline: Schema.optionalKey(Policy),
  reclaimAfterDays: Schema.optionalKey(
    Schema.Int.check(
      Schema.isBetween(
        { minimum: 1, maximum: RECLAIM_DAYS_MAX },
        { message: `must be a whole number from 1 to ${RECLAIM_DAYS_MAX}` },
      ),
    ).annotateKey({
      description: "With claimable_balance: days until an unclaimed balance is taken back; 30 when absent",
    }),
  ),
  walletCap: Schema.optionalKey(
    Schema.Struct({
      amount: Amount,
      period: CapPeriod.annotateKey({
        description: "Days, weeks (from Monday) and months are those of UTC; campaign: altogether",
      }),
    }).annotateKey({
      description:
        "The most that one account may get in each period, all its muxed addresses together; it cannot be changed",
    }),
  ),
})
  .check(reclaimOnlyWithBalance)
  .annotate({ identifier: "NewCampaign" })

export const CampaignChange = Schema.Struct({
  name: Schema.optionalKey(Name),
  endsAt: Schema.optionalKey(
    Schema.NullOr(Instant).annotateKey({ description: "The first moment after it; null: for ever" }),
  ),
  budget: Schema.optionalKey(
    Amount.annotateKey({ description: "Not less than what is promised and paid already" }),
  ),
  status: Schema.optionalKey(CampaignStatus),
}).annotate({ identifier: "CampaignChange" })

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
  onMissingTrustline: Policy,
  reclaimAfterDays: Schema.NullOr(Schema.Number).annotateKey({
    description: "With claimable_balance only",
  }),
  walletCap: Schema.NullOr(Schema.Struct({ amount: Money, period: CapPeriod })),
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

const change = HttpApiEndpoint.patch("change", "/api/campaigns/:id", {
  params: { id: CampaignId },
  query: NoQuery,
  payload: CampaignChange,
  success: Campaign,
  error: [
    problem("campaign.not_found"),
    problem("campaign.dates_reversed"),
    problem("campaign.budget_below_promised"),
    problem("campaign.ended"),
  ],
})
  .middleware(JsonBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change a campaign, pause it, resume it, end it",
      description:
        "What is absent stays as it is. A paused campaign accepts nothing, and its pending rewards are held (campaign_paused) until it is active again; those on their way to the ledger finish. Very many rewards are moved in steps: if that breaks off, send the same status again. An ended campaign accepts nothing and stays ended, but what it has promised is paid: cancel the rewards that should not be.",
    }),
  )

export class CampaignRoutes extends HttpApiGroup.make("campaigns")
  .add(create, list, get, change)
  .middleware(Auth)
  .annotateMerge(OpenApi.annotations({ title: "Campaigns" })) {}
