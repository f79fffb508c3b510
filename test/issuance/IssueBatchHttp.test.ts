import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as Api from "../api/ApiHarness.ts"
import { expectDocumented } from "../api/Documented.ts"
import { expectProblem } from "../api/ProblemShape.ts"
import { withLayer } from "../support/it.ts"

const { live } = withLayer(Api.layer)

const path = "/api/rewards/issue/batch"

const withCampaign = Effect.gen(function* () {
  const client = yield* Api.newClient()
  const campaignId = yield* Api.newCampaign(client)
  const send = (items: ReadonlyArray<unknown>) =>
    Effect.tap(client.post(path, { items }), (answer) =>
      Effect.sync(() => expectDocumented("POST", path, answer)),
    )
  return { client, campaignId, send }
})

const codesOf = (answer: Api.Answer): ReadonlyArray<string> =>
  answer.body.results.map((result: { status: string; problem: { code: string } | null }) =>
    result.problem === null ? result.status : `${result.status} ${result.problem.code}`,
  )

live("each item is answered by itself, in the order of the list", () =>
  Effect.gen(function* () {
    const { campaignId, client, send } = yield* withCampaign
    const first = Api.reward(campaignId, { amount: "900" })
    const items = [
      first,
      Api.reward(campaignId, { amount: "100.0000001" }),
      { ...first, amount: "900.0" },
      { ...first, amount: "1" },
      Api.reward(campaignId, { walletAddress: Api.UNPAYABLE_WALLET }),
      Api.reward("cmp_00000000000000000000000000"),
      Api.reward(campaignId, { amount: "100", userId: "user-42" }),
    ]
    const answer = yield* send(items)
    expect([answer.status, codesOf(answer)]).toEqual([
      200,
      [
        "accepted",
        "refused campaign.budget_exhausted",
        "known",
        "refused idempotency.key_reused",
        "refused issuance.wallet_not_payable",
        "refused campaign.not_found",
        "accepted",
      ],
    ])
    const { results } = answer.body
    expect(results.map((each: { idempotencyKey: string }) => each.idempotencyKey)).toEqual(
      items.map((item) => item.idempotencyKey),
    )
    expect(results[2].issuanceId).toBe(results[0].issuanceId)
    expect(results[1]).toMatchObject({ issuanceId: null, problem: { param: "items[1].amount", status: 409 } })
    expect(results[1].problem.request_id).toBe(answer.headers.get("x-request-id"))
    expect(results[4].problem.errors[0].param).toBe("items[4].walletAddress")
    // By any door the key means the same reward, and of two priorities the first one's stays.
    const alone = yield* client.post("/api/rewards/issue", first)
    expect([alone.status, alone.body.issuanceId]).toEqual([200, results[0].issuanceId])
    const { body } = yield* client.get(`/api/rewards/issuances/${results[0].issuanceId}`)
    expect(body.priority).toBe("low")
    expect((yield* client.get(`/api/campaigns/${campaignId}`)).body.remaining).toBe("0.0000000")
  }),
)

live("an item that is not of its form refuses itself, naming its place and every field", () =>
  Effect.gen(function* () {
    const { campaignId, send } = yield* withCampaign
    const { idempotencyKey: _, ...keyless } = Api.reward(campaignId)
    const answer = yield* send([
      Api.reward(campaignId),
      { ...Api.reward(campaignId, { amount: 25 }), idempotencyKey: "mine", extra: 1 },
      keyless,
      "text",
      null,
      { malformed: 1 },
      Api.reward(campaignId, { priority: "urgent" }),
      Api.reward(campaignId),
    ])
    expect(codesOf(answer)).toEqual([
      "accepted",
      ...Array.from({ length: 6 }, () => "refused request.invalid"),
      "accepted",
    ])
    const { results } = answer.body
    expect([results[1].idempotencyKey, results[2].idempotencyKey]).toEqual(["mine", null])
    const fields = (place: number) =>
      results[place].problem.errors.map((error: { param: string }) => error.param).sort()
    expect(fields(1)).toEqual(["items[1].amount", "items[1].extra"])
    expect(fields(2)).toEqual(["items[2].idempotencyKey"])
    expect([fields(3), fields(4)]).toEqual([["items[3]"], ["items[4]"]])
    expect(fields(5)).toContain("items[5].malformed")
    expect(fields(6)).toEqual(["items[6].priority"])
  }),
)

live("a list that is none, empty or too long is refused as a whole", () =>
  Effect.gen(function* () {
    const { campaignId, client } = yield* withCampaign
    const long = Array.from({ length: 1001 }, () => Api.reward(campaignId, { amount: "0.0000001" }))
    for (const [body, param] of [
      [{}, "items"],
      [{ items: {} }, "items"],
      [{ items: [] }, "items"],
      [{ items: long }, "items"],
      [{ items: [], more: 1 }, "more"],
      [[], "body"],
    ] as const) {
      const answer = yield* client.post(path, body)
      expectProblem(answer)
      expect([answer.status, answer.body.param]).toEqual([400, param])
    }
    expect((yield* client.get("/api/rewards/issuances")).body.data).toEqual([])
  }),
)

live("a thousand items are accepted at once, and known when they come again in any order", () =>
  Effect.gen(function* () {
    const { campaignId, client, send } = yield* withCampaign
    const items = Array.from({ length: 1000 }, () => Api.reward(campaignId, { amount: "1" }))
    const [first, again] = yield* Effect.all([send(items), send(items.toReversed())], { concurrency: 2 })
    const statuses = [...codesOf(first), ...codesOf(again)]
    expect(statuses.filter((status) => status === "accepted").length).toBe(1000)
    expect(statuses.filter((status) => status === "known").length).toBe(1000)
    const ids = (answer: Api.Answer) =>
      answer.body.results.map((each: { issuanceId: string }) => each.issuanceId)
    expect(ids(again)).toEqual(ids(first).toReversed())
    expect((yield* client.get(`/api/campaigns/${campaignId}`)).body.remaining).toBe("0.0000000")
  }),
)

live("an item that the database refuses is a fault of its own, without detail", () =>
  Effect.gen(function* () {
    const { campaignId, client } = yield* withCampaign
    const sql = yield* SqlClient.SqlClient
    yield* sql`ALTER TABLE reward_issuances ADD CONSTRAINT poison CHECK (idempotency_key <> 'poison')`
    const items = [
      Api.reward(campaignId),
      Api.reward(campaignId, { idempotencyKey: "poison" }),
      Api.reward(campaignId),
    ]
    const answer = yield* client.post(path, { items })
    expect(codesOf(answer)).toEqual(["accepted", "refused server.internal", "accepted"])
    expect(answer.text).not.toContain("reward_issuances")
    yield* sql`ALTER TABLE reward_issuances DROP CONSTRAINT poison`
  }),
)
