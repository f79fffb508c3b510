/** Routes of rewards: issue one, many, or one and wait; follow it to the ledger; take it back. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { IssuanceStatus } from "../issuance/Issuance.ts"
import { CampaignId, IssuanceId } from "../kernel/Ids.ts"
import { Instant } from "../kernel/Instant.ts"
import { WalletAddress } from "../kernel/StellarAddress.ts"
import { Auth } from "./Auth.ts"
import { IdempotencyKey, IdempotencyKeyHeader } from "./Idempotency.ts"
import { Issuance, IssuanceAtItsEnd, IssuanceOnItsWay, IssuanceWithTimeline } from "./Issuance.ts"
import { BatchResults, IssueBatch, ITEMS_MAX } from "./IssueBatch.ts"
import { NoQuery, pageQuery, pageSchema } from "./Lists.ts"
import { WAIT_S_DEFAULT, WAIT_S_MAX } from "./Prefer.ts"
import { problem } from "./Problems.ts"
import { JsonBody, NoBody } from "./RequestRules.ts"
import { rewardFields } from "./RewardFields.ts"

export const IssueReward = Schema.Struct({
  idempotencyKey: Schema.optionalKey(IdempotencyKey),
  ...rewardFields,
}).annotate({ identifier: "IssueReward" })

const issued = (identifier: string, description: string) =>
  Schema.Struct({ issuanceId: IssuanceId, status: IssuanceStatus }).annotate({ identifier, description })

const refusals = [
  problem("idempotency.key_missing"),
  problem("idempotency.keys_differ"),
  problem("idempotency.key_reused"),
  problem("issuance.wallet_not_payable"),
  problem("issuance.mode_not_paid"),
  problem("campaign.not_found"),
  problem("campaign.not_active"),
  problem("campaign.budget_exhausted"),
  problem("campaign.wallet_cap_reached"),
] as const

const issue = HttpApiEndpoint.post("issue", "/api/rewards/issue", {
  query: NoQuery,
  headers: { "idempotency-key": Schema.optionalKey(IdempotencyKeyHeader) },
  payload: IssueReward,
  success: [
    issued("RewardAccepted", "Accepted now; it will be paid").pipe(HttpApiSchema.status(202)),
    issued("RewardKnown", "Accepted before under this key, with the status it has now").pipe(
      HttpApiSchema.status(200),
    ),
  ],
  error: refusals,
})
  .middleware(JsonBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Issue a reward",
      description:
        "Accepts the reward and reserves its amount of the campaign's budget, in one step; the payment follows. Safe to repeat with the same idempotency key, which holds for ever: the first answer is 202, every later one 200 with the same issuance. A refused request leaves its key unused.",
    }),
  )

const distribute = HttpApiEndpoint.post("distribute", "/api/rewards/distribute", {
  query: NoQuery,
  headers: {
    "idempotency-key": Schema.optionalKey(IdempotencyKeyHeader),
    prefer: Schema.optionalKey(
      Schema.String.annotate({
        description: `wait=N (RFC 7240): seconds to wait, 1-${WAIT_S_MAX}; ${WAIT_S_DEFAULT} when absent`,
        examples: ["wait=10"],
      }),
    ),
  },
  payload: IssueReward,
  success: [
    IssuanceAtItsEnd.pipe(HttpApiSchema.status(200)),
    IssuanceOnItsWay.pipe(HttpApiSchema.status(202)),
  ],
  error: refusals,
})
  .middleware(JsonBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Issue a reward and wait for its end",
      description:
        "As issue, but the answer waits until the reward is confirmed, failed, cancelled or held: 200 with all of it. If that takes longer than the time to wait, 202 with where it stands; it goes on. The same key again joins the wait and pays nothing; its answer carries `Idempotent-Replayed: true`. A stated wait is confirmed in `Preference-Applied`.",
    }),
  )

const issueBatch = HttpApiEndpoint.post("issueBatch", "/api/rewards/issue/batch", {
  query: NoQuery,
  payload: IssueBatch,
  success: BatchResults,
})
  .middleware(JsonBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: `Issue up to ${ITEMS_MAX} rewards`,
      description:
        "Each item is accepted or refused by itself, in the order of the list, as if it had been sent alone: the answer has one result for each. Items repeat safely by their keys, alone or in any batch. Each counts against budgets and caps before the next one does.",
    }),
  )

const list = HttpApiEndpoint.get("list", "/api/rewards/issuances", {
  query: {
    ...pageQuery(IssuanceId),
    status: Schema.optionalKey(IssuanceStatus),
    campaignId: Schema.optionalKey(CampaignId),
    walletAddress: Schema.optionalKey(
      WalletAddress.annotateKey({
        description:
          "Exactly this address: a muxed one finds only its own, an account none of its muxed ones",
      }),
    ),
    created_after: Schema.optionalKey(Instant),
    created_before: Schema.optionalKey(Instant),
  },
  success: pageSchema(Issuance),
})
  .middleware(NoBody)
  .annotateMerge(OpenApi.annotations({ summary: "List issuances, newest first" }))

const get = HttpApiEndpoint.get("get", "/api/rewards/issuances/:id", {
  params: { id: IssuanceId },
  query: NoQuery,
  success: IssuanceWithTimeline,
  error: [problem("issuance.not_found")],
})
  .middleware(NoBody)
  .annotateMerge(OpenApi.annotations({ summary: "One issuance, with its timeline and its proof" }))

const change = HttpApiEndpoint.patch("change", "/api/rewards/issuances/:id", {
  params: { id: IssuanceId },
  query: NoQuery,
  payload: Schema.Struct({
    action: Schema.Literals(["cancel", "retry"]).annotate({
      description: "cancel a pending or held reward, or retry a held one now",
    }),
  }).annotate({ identifier: "IssuanceAction" }),
  success: IssuanceWithTimeline,
  error: [problem("issuance.not_found"), problem("issuance.state_conflict")],
})
  .middleware(JsonBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Cancel an issuance, or try a held one again",
      description:
        "A cancelled reward is never paid; its amount is free again in the campaign's budget and the wallet's cap. What is on its way to the ledger, or has ended, cannot be changed.",
    }),
  )

export class RewardRoutes extends HttpApiGroup.make("rewards")
  .add(issue, distribute, issueBatch, list, get, change)
  .middleware(Auth)
  .annotateMerge(OpenApi.annotations({ title: "Rewards" })) {}
