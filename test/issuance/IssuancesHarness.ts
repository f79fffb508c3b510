/** The services that accept rewards, on the test file's database. */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import * as RedisMemory from "../../layers/redis/RedisMemory.ts"
import { Campaigns, type NewCampaign } from "../../src/campaign/Campaigns.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import type { IssueRequest } from "../../src/issuance/IssueRequest.ts"
import { Merchants } from "../../src/merchant/Merchants.ts"
import type { Owner } from "../../src/merchant/Owner.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

/** Strkeys of the key bytes 00..00 and 01..01. */
export const WALLET = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF"
export const OTHER_WALLET = "GAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQDZ7H"

export const layer = Issuances.layer.pipe(
  Layer.provideMerge(Layer.merge(Campaigns.layer, Merchants.layer)),
  Layer.provideMerge(Layer.mergeAll(TestDatabase.layer, RedisMemory.layer, SecureRandom.layerWebCrypto)),
)

/** A new merchant with a campaign of this budget, in stroops. */
export const newCampaign = Effect.fnUntraced(function* (
  budgetStroops: bigint,
  fields: Partial<NewCampaign> = {},
) {
  const merchants = yield* Merchants
  const campaigns = yield* Campaigns
  const { id } = yield* merchants.create({ name: "Corner shop" })
  const owner: Owner = { merchantId: id, mode: "test" }
  const campaign = yield* campaigns.create(owner, { name: "Summer", budgetStroops, ...fields })
  return { owner, campaignId: campaign.id }
})

let keys = 0

/** A request under a key that was never used. */
export const request = (campaignId: string, fields: Partial<IssueRequest> = {}): IssueRequest => ({
  idempotencyKey: `order-${++keys}`,
  walletAddress: WALLET,
  amountStroops: 250_000_000n,
  campaignId,
  ...fields,
})

/** Issues, and answers with the refusal's code instead of failing. */
export const issueOrCode = (owner: Owner, issueRequest: IssueRequest) =>
  Effect.flatMap(Issuances, (issuances) => issuances.issue(owner, issueRequest)).pipe(
    Effect.map((issued) => ({ ...issued, code: "issued" })),
    Effect.catch(({ code }) => Effect.succeed({ issuanceId: "", status: "pending", accepted: false, code })),
  )
