/** Routes of rewards: issue one, follow it to the ledger. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { IssuanceReason, IssuanceStatus } from "../issuance/Issuance.ts"
import { Amount } from "../kernel/Amount.ts"
import { CampaignId, IssuanceId } from "../kernel/Ids.ts"
import { Instant } from "../kernel/Instant.ts"
import { plainText } from "../kernel/PlainText.ts"
import { WalletAddress } from "../kernel/StellarAddress.ts"
import { Auth } from "./Auth.ts"
import { IdempotencyKey, IdempotencyKeyHeader } from "./Idempotency.ts"
import { NoQuery, pageQuery, pageSchema } from "./Lists.ts"
import { problem } from "./Problems.ts"
import { JsonBody, NoBody } from "./RequestRules.ts"

export const IssueReward = Schema.Struct({
  idempotencyKey: Schema.optionalKey(IdempotencyKey),
  walletAddress: WalletAddress,
  amount: Amount,
  campaignId: CampaignId,
  userId: Schema.optionalKey(
    plainText(1, 128).annotateKey({ description: "Your own name for the user", examples: ["user-42"] }),
  ),
}).annotate({ identifier: "IssueReward" })

const issued = (identifier: string, description: string) =>
  Schema.Struct({ issuanceId: IssuanceId, status: IssuanceStatus }).annotate({ identifier, description })

const issuanceFields = {
  id: IssuanceId,
  status: IssuanceStatus,
  reason: Schema.NullOr(IssuanceReason).annotateKey({ description: "With failed and held" }),
  amount: Schema.String.annotate({ examples: ["25.0000000"] }),
  walletAddress: WalletAddress,
  campaignId: CampaignId,
  userId: Schema.NullOr(Schema.String),
  idempotencyKey: Schema.String,
  createdAt: Instant,
  updatedAt: Instant,
  confirmedAt: Schema.NullOr(Instant),
  txHash: Schema.NullOr(Schema.String).annotateKey({
    description:
      "Hash (hex) of the transaction that paid it; with ledger and operationIndex the proof, once confirmed",
  }),
  ledger: Schema.NullOr(Schema.Int).annotateKey({
    description: "Sequence of the ledger that holds the payment",
  }),
  operationIndex: Schema.NullOr(Schema.Int).annotateKey({
    description: "Which operation of the transaction it is, from 0",
  }),
}

export const Issuance = Schema.Struct(issuanceFields).annotate({ identifier: "Issuance" })

export const IssuanceWithTimeline = Schema.Struct({
  ...issuanceFields,
  timeline: Schema.Array(
    Schema.Struct({
      at: Instant,
      from: Schema.NullOr(IssuanceStatus),
      to: IssuanceStatus,
      reason: Schema.NullOr(Schema.String),
    }),
  ).annotateKey({ description: "Every change of status, oldest first" }),
}).annotate({ identifier: "IssuanceWithTimeline" })

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
  error: [
    problem("idempotency.key_missing"),
    problem("idempotency.keys_differ"),
    problem("idempotency.key_reused"),
    problem("issuance.wallet_not_payable"),
    problem("issuance.mode_not_paid"),
    problem("campaign.not_found"),
    problem("campaign.not_active"),
    problem("campaign.budget_exhausted"),
  ],
})
  .middleware(JsonBody)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Issue a reward",
      description:
        "Accepts the reward and reserves its amount of the campaign's budget, in one step; the payment follows. Safe to repeat with the same idempotency key, which holds for ever: the first answer is 202, every later one 200 with the same issuance. A refused request leaves its key unused.",
    }),
  )

const list = HttpApiEndpoint.get("list", "/api/rewards/issuances", {
  query: {
    ...pageQuery(IssuanceId),
    status: Schema.optionalKey(IssuanceStatus),
    campaignId: Schema.optionalKey(CampaignId),
    walletAddress: Schema.optionalKey(WalletAddress),
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

export class RewardRoutes extends HttpApiGroup.make("rewards")
  .add(issue, list, get)
  .middleware(Auth)
  .annotateMerge(OpenApi.annotations({ title: "Rewards" })) {}
