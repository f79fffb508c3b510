import { expect } from "bun:test"
import { Effect } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { NovaApi } from "../../src/api/NovaApi.ts"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"

const { live } = withLayer(Api.layer)

live("the client that the contract gives speaks with the server, types, amounts and problems included", () =>
  Effect.gen(function* () {
    const merchant = yield* Api.newClient()
    const baseUrl = yield* Api.baseUrl
    const client = yield* HttpApiClient.make(NovaApi, {
      baseUrl,
      transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("x-api-key", merchant.key)),
    })
    const campaign = yield* client.campaigns.create({
      query: {},
      payload: { name: "Summer", budget: 1_000_000_000n, endsAt: new Date(Date.UTC(2999, 0)) },
    })
    expect([campaign.budget, campaign.endsAt]).toEqual(["100.0000000", new Date(Date.UTC(2999, 0))])
    const reward = {
      idempotencyKey: "order-1",
      walletAddress: Api.WALLET,
      amount: 250_000_000n,
      campaignId: campaign.id,
    }
    const issue = (payload: typeof reward) => client.rewards.issue({ query: {}, headers: {}, payload })
    const issued = yield* issue(reward)
    expect(yield* issue(reward)).toEqual(issued)
    const found = yield* client.rewards.get({ params: { id: issued.issuanceId }, query: {} })
    expect([found.amount, found.timeline.length]).toEqual(["25.0000000", 1])
    const list = yield* client.rewards.list({ query: { limit: 1, status: "pending" } })
    expect([list.data[0]?.id, list.has_more]).toEqual([issued.issuanceId, false])
    const problem = yield* Effect.flip(issue({ ...reward, idempotencyKey: "order-2", amount: 750_000_001n }))
    expect(problem).toMatchObject({ code: "campaign.budget_exhausted", param: "amount", retryable: false })
  }).pipe(Effect.provide(FetchHttpClient.layer)),
)
