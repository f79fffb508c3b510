import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as Api from "../api/ApiHarness.ts"
import { withLayer } from "../support/it.ts"

const { live } = withLayer(Api.layer)

const issue = "/api/rewards/issue"

const withCampaign = Effect.gen(function* () {
  const client = yield* Api.newClient()
  return { client, campaignId: yield* Api.newCampaign(client) }
})

live("202 once, then 200 with the same issuance", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    const body = Api.reward(campaignId, { userId: "user-42" })
    const first = yield* client.post(issue, body)
    expect([first.status, first.body]).toEqual([
      202,
      { issuanceId: expect.stringMatching(/^iss_[0-9A-HJKMNP-TV-Z]{26}$/), status: "pending" },
    ])
    expect(first.headers.get("content-type")).toBe("application/json")
    for (const repeated of [body, { ...body, amount: "25.0" }, { ...body, amount: "25.0000000" }]) {
      const again = yield* client.post(issue, repeated)
      expect([again.status, again.body]).toEqual([200, first.body])
    }
  }),
)

live("the key comes in the body, in the header, quoted or not, or the same in both", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    const { idempotencyKey, ...keyless } = Api.reward(campaignId)
    const first = yield* client.post(issue, { ...keyless, idempotencyKey })
    const ways = [
      client.post(issue, keyless, { "idempotency-key": idempotencyKey }),
      client.post(issue, keyless, { "idempotency-key": `"${idempotencyKey}"` }),
      client.post(issue, { ...keyless, idempotencyKey }, { "idempotency-key": idempotencyKey }),
    ]
    for (const answer of yield* Effect.all(ways))
      expect([answer.status, answer.body]).toEqual([200, first.body])
    const odd = yield* client.post(issue, keyless, { "idempotency-key": "a b" })
    expect([odd.status, odd.body.param]).toEqual([400, "idempotency-key"])
    const twice = yield* client.post(issue, { ...keyless, idempotencyKey: "" }, { "idempotency-key": "x" })
    expect([twice.status, twice.body.param]).toEqual([400, "idempotencyKey"])
  }),
)

live("100 concurrent requests with one key: one 202, ninety-nine 200, one issuance", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    for (let repetition = 0; repetition < 3; repetition++) {
      const body = Api.reward(campaignId)
      const answers = yield* Effect.all(
        Array.from({ length: 100 }, () => client.post(issue, body)),
        { concurrency: "unbounded" },
      )
      expect(answers.filter((answer) => answer.status === 202).length).toBe(1)
      expect(answers.filter((answer) => answer.status === 200).length).toBe(99)
      expect(new Set(answers.map((answer) => answer.text)).size).toBe(1)
    }
  }),
)

live("a confirmed issuance shows its timeline and its proof, and the key its new status", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    const sql = yield* SqlClient.SqlClient
    const body = Api.reward(campaignId, { userId: "user-42", amount: "0.0000001" })
    const { issuanceId } = (yield* client.post(issue, body)).body
    const hash = "ab".repeat(32)
    const at = new Date(Date.UTC(2026, 10, 21, 12))
    yield* sql`
      UPDATE reward_issuances SET status = 'confirmed', tx_hash = ${hash}, ledger = 4294967295, operation_index = 99,
        confirmed_at = ${at}, updated_at = ${at} WHERE id = ${issuanceId}`
    yield* sql`
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status)
      VALUES (${issuanceId}, ${at}, 'submitted', 'confirmed')`
    const { body: found } = yield* client.get(`/api/rewards/issuances/${issuanceId}`)
    expect(found).toMatchObject({
      id: issuanceId,
      status: "confirmed",
      reason: null,
      amount: "0.0000001",
      userId: "user-42",
      walletAddress: Api.WALLET,
      campaignId,
      idempotencyKey: body.idempotencyKey,
      confirmedAt: "2026-11-21T12:00:00.000Z",
      txHash: hash,
      ledger: 4_294_967_295,
      operationIndex: 99,
    })
    expect(found.timeline.map((event: { from: string; to: string }) => [event.from, event.to])).toEqual([
      [null, "pending"],
      ["submitted", "confirmed"],
    ])
    expect((yield* client.post(issue, body)).body).toEqual({ issuanceId, status: "confirmed" })
  }),
)

live("a failed issuance says why", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    const sql = yield* SqlClient.SqlClient
    const { issuanceId } = (yield* client.post(issue, Api.reward(campaignId))).body
    yield* sql`UPDATE reward_issuances SET status = 'failed', reason = 'no_trustline' WHERE id = ${issuanceId}`
    const { body: found } = yield* client.get(`/api/rewards/issuances/${issuanceId}`)
    expect([found.status, found.reason, found.txHash]).toEqual(["failed", "no_trustline", null])
  }),
)

live("the list pages from the newest to the oldest and back, through filters", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    const ids: Array<string> = []
    for (let count = 0; count < 5; count++)
      ids.unshift((yield* client.post(issue, Api.reward(campaignId))).body.issuanceId)
    const page = (query: string) =>
      Effect.map(client.get(`/api/rewards/issuances?${query}`), ({ body }) => ({
        ids: body.data.map((each: { id: string }) => each.id),
        more: body.has_more,
      }))
    expect(yield* page("")).toEqual({ ids, more: false })
    expect(yield* page("limit=2")).toEqual({ ids: ids.slice(0, 2), more: true })
    expect(yield* page(`limit=2&starting_after=${ids[1]}`)).toEqual({ ids: ids.slice(2, 4), more: true })
    expect(yield* page(`limit=2&starting_after=${ids[3]}`)).toEqual({ ids: ids.slice(4), more: false })
    expect(yield* page(`limit=2&ending_before=${ids[3]}`)).toEqual({ ids: ids.slice(1, 3), more: true })
    expect(yield* page("status=confirmed")).toEqual({ ids: [], more: false })
    expect(yield* page(`status=pending&campaignId=${campaignId}&limit=1`)).toEqual({
      ids: [ids[0]],
      more: true,
    })
    expect(yield* page("created_after=2999-01-01T00:00:00Z")).toEqual({ ids: [], more: false })
    expect(yield* page("created_before=2999-01-01T00:00:00%2B02:00")).toEqual({ ids, more: false })
  }),
)

live("a campaign shows what is left of its budget", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    yield* client.post(issue, Api.reward(campaignId, { amount: "0.5" }))
    const { body } = yield* client.get(`/api/campaigns/${campaignId}`)
    expect(body).toMatchObject({
      budget: "1000.0000000",
      reserved: "0.5000000",
      spent: "0.0000000",
      remaining: "999.5000000",
      status: "active",
      endsAt: null,
    })
  }),
)
