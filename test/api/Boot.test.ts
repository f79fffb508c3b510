import { expect } from "bun:test"
import { Effect } from "effect"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"

const { live } = withLayer(Api.layer)

live("the API boots: every group, middleware and document answers", () =>
  Effect.gen(function* () {
    for (const path of [
      "/health",
      "/health/ready",
      "/api/v1/health",
      "/metrics",
      "/openapi.json",
      "/api/docs",
    ]) {
      const answer = yield* Api.send(path)
      expect([path, answer.status, answer.text.slice(0, 200)]).toEqual([path, 200, answer.text.slice(0, 200)])
    }
  }),
)

live("a reward from campaign to issuance", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const campaignId = yield* Api.newCampaign(client)
    const body = Api.reward(campaignId, { userId: "user-42" })
    const first = yield* client.post("/api/rewards/issue", body)
    expect([first.status, first.body.status]).toEqual([202, "pending"])
    const second = yield* client.post("/api/rewards/issue", body)
    expect([second.status, second.body]).toEqual([200, first.body])
    const found = yield* client.get(`/api/rewards/issuances/${first.body.issuanceId}`)
    console.log(found.body)
    const list = yield* client.get(`/api/rewards/issuances`)
    console.log(list.text)
    const campaign = yield* client.get(`/api/campaigns/${campaignId}`)
    console.log(campaign.body)
    console.log((yield* client.post("/api/rewards/issue", { ...body, amount: 25, x: 1 })).body)
    console.log((yield* client.get("/api/rewards/issuances?limit=abc&foo=1")).body)
    console.log((yield* client.get("/nope")).body)
    console.log((yield* Api.send("/api/campaigns")).body)
  }),
)
