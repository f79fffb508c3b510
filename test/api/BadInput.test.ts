import { expect } from "bun:test"
import { Effect } from "effect"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"
import { expectProblem } from "./ProblemShape.ts"

const { live } = withLayer(Api.layer)

const issue = "/api/rewards/issue"

/** Expects a 400 that names the field, and says `says` of it. */
const refused = (answer: Api.Answer, param: string, says: string): void => {
  expectProblem(answer)
  expect([answer.status, answer.body.param]).toEqual([400, param])
  const message = answer.body.errors?.[0]?.message ?? answer.body.detail
  expect(message).toContain(says)
}

const withCampaign = Effect.gen(function* () {
  const client = yield* Api.newClient()
  return { client, campaignId: yield* Api.newCampaign(client) }
})

const rewardCases: ReadonlyArray<readonly [field: string, value: unknown, says: string]> = [
  ["amount", 25, "must be a decimal string"],
  ["amount", 0.1, "must be a decimal string"],
  ["amount", null, "must be a decimal string"],
  ["amount", ["25"], "must be a decimal string"],
  ["amount", { value: "25" }, "must be a decimal string"],
  ["amount", "", "plain decimal number"],
  ["amount", "1e3", "plain decimal number"],
  ["amount", "٢٥", "plain decimal number"],
  ["amount", "0", "more than 0"],
  ["amount", "0.0000000", "more than 0"],
  ["amount", "-1", "must not be negative"],
  ["amount", "1.00000001", "at most 7 decimal places"],
  ["amount", "922337203685.4775808", "must be at most 922337203685.4775807"],
  ["amount", "9".repeat(1000), "must be at most 922337203685.4775807"],
  ["walletAddress", "", "must be a Stellar account address"],
  ["walletAddress", 7, "must be a string"],
  ["walletAddress", "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHG", "valid checksum"],
  [
    "walletAddress",
    "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUR",
    "valid checksum",
  ],
  ["walletAddress", "SBGWSG6BTNCKCOB3DIFBGCVMUPQFYPA2G4O34RMTB343OYPXU5DJDVMN", "secret key"],
  ["campaignId", "summer", "must be an id"],
  ["campaignId", "iss_01K9ZQ4T5XJ8W2V7R3M6N1P0CD", "must be an id"],
  ["campaignId", "cmp_01K9ZQ4T5XJ8W2V7R3M6N1P0C\u0000", "must be an id"],
  ["userId", "", "1 to 128 characters"],
  ["userId", "x".repeat(129), "1 to 128 characters"],
  ["userId", "a\u0000b", "control characters"],
  ["userId", "\ud800", "well-formed"],
  ["userId", 42, "must be a string"],
  ["userId", null, "must be a string"],
  ["idempotencyKey", "", "1 to 255"],
  ["idempotencyKey", "x".repeat(256), "1 to 255"],
  ["idempotencyKey", "a b", "without blanks"],
  ["idempotencyKey", "a\u0000", "visible ASCII"],
  ["idempotencyKey", "schlüssel", "visible ASCII"],
  ["idempotencyKey", 7, "must be a string"],
  ["ammount", "25", "is not a known field"],
  ["__proto__", "25", "is not a known field"],
  ["constructor", {}, "is not a known field"],
]

live("every bad field of a reward is named, and burns no key", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    for (const [field, value, says] of rewardCases) {
      const good = JSON.stringify(Api.reward(campaignId))
      // As text, so that "__proto__" is a name and not the prototype, and a lone surrogate stays escaped.
      const { [field]: _, ...rest } = JSON.parse(good)
      const fields = JSON.stringify(rest).slice(1, -1)
      refused(
        yield* client.post(issue, `{${fields},${JSON.stringify(field)}:${JSON.stringify(value)}}`),
        field,
        says,
      )
      if (field !== "idempotencyKey") {
        const mended = yield* client.post(issue, { ...JSON.parse(good), amount: "0.0000001" })
        expect([field, value, mended.status]).toEqual([field, value, 202])
      }
    }
  }),
)

live("every field that is missing is named, all at once", () =>
  Effect.gen(function* () {
    const { client } = yield* withCampaign
    const answer = yield* client.post(issue, { idempotencyKey: "k" })
    refused(answer, "walletAddress", "is required")
    expect(answer.body.errors.map((error: { param: string }) => error.param)).toEqual([
      "walletAddress",
      "amount",
      "campaignId",
    ])
  }),
)

live("the secret that somebody sends instead of an address is not repeated", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    const secret = "SBGWSG6BTNCKCOB3DIFBGCVMUPQFYPA2G4O34RMTB343OYPXU5DJDVMN"
    const answer = yield* client.post(issue, Api.reward(campaignId, { walletAddress: secret }))
    expect(answer.text).not.toContain(secret)
  }),
)

live("a thousand unknown fields make a small answer", () =>
  Effect.gen(function* () {
    const { client, campaignId } = yield* withCampaign
    const unknown = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`${"x".repeat(500)}${index}`, 1]),
    )
    const answer = yield* client.post(issue, Api.reward(campaignId, unknown))
    expect(answer.status).toBe(400)
    expect(answer.text.length).toBeLessThan(8000)
  }),
)

const bodies: ReadonlyArray<readonly [body: string, code: string, says: string]> = [
  ["", "request.invalid_json", "It is empty."],
  ["{", "request.invalid_json", "not valid JSON"],
  ["{'a':1}", "request.invalid_json", "not valid JSON"],
  ["[".repeat(100_000), "request.invalid_json", "nested more than 32 deep"],
  ['{"amount":"1","amount":"100"}', "request.invalid_json", "is twice in one object"],
  ["[]", "request.invalid", "must be a JSON object"],
  ["null", "request.invalid", "must be a JSON object"],
  ["1e999", "request.invalid", "must be a JSON object"],
  ['"text"', "request.invalid", "must be a JSON object"],
]

live("a body that is no object is refused", () =>
  Effect.gen(function* () {
    const { client } = yield* withCampaign
    for (const path of [issue, "/api/campaigns"]) {
      for (const [body, code, says] of bodies) {
        const answer = yield* client.post(path, body)
        expect([body.slice(0, 40), answer.body.code]).toEqual([body.slice(0, 40), code])
        refused(answer, says.includes("is twice") ? "amount" : "body", says)
      }
    }
  }),
)

const campaignCases: ReadonlyArray<readonly [field: string, value: unknown, says: string]> = [
  ["name", "", "1 to 200 characters"],
  ["name", "   ", "must not be blank"],
  ["name", "x".repeat(201), "1 to 200 characters"],
  ["name", "a\u0000", "control characters"],
  ["budget", 1000, "must be a decimal string"],
  ["budget", "0", "more than 0"],
  ["budget", "922337203685.4775808", "must be at most"],
  ["startsAt", "tomorrow", "must be a time such as"],
  ["startsAt", 1763717400000, "must be a string"],
  ["endsAt", "2026-02-30T00:00:00Z", "must be a time such as"],
  ["endsAt", "0000-01-01T00:00:00Z", "must be a time such as"],
  ["status", "active", "is not a known field"],
]

live("every bad field of a campaign is named", () =>
  Effect.gen(function* () {
    const { client } = yield* withCampaign
    for (const [field, value, says] of campaignCases) {
      refused(yield* client.post("/api/campaigns", { name: "x", budget: "1", [field]: value }), field, says)
    }
  }),
)

const queries: ReadonlyArray<readonly [query: string, param: string, says: string]> = [
  ["limit=abc", "limit", "whole number from 1 to 100"],
  ["limit=0", "limit", "whole number from 1 to 100"],
  ["limit=101", "limit", "whole number from 1 to 100"],
  ["limit=1e1", "limit", "whole number from 1 to 100"],
  ["limit=", "limit", "whole number from 1 to 100"],
  ["limit=1&limit=2", "limit", "must be a string"],
  ["limit=%00", "limit", "whole number from 1 to 100"],
  ["status=done", "status", "must be"],
  ["starting_after=7", "starting_after", "must be an id"],
  ["ending_before=%F0%28%8C%28", "ending_before", "must be an id"],
  ["page=2", "page", "is not a known field"],
  ["__proto__=2", "__proto__", "is not a known field"],
]

live("every bad query parameter is named", () =>
  Effect.gen(function* () {
    const { client } = yield* withCampaign
    for (const [query, param, says] of queries) {
      refused(yield* client.get(`/api/campaigns?${query}`), param, says)
      refused(yield* client.get(`/api/rewards/issuances?${query}`), param, says)
    }
    refused(yield* client.get("/api/rewards/issuances?walletAddress=G"), "walletAddress", "must be a Stellar")
    refused(yield* client.get("/api/rewards/issuances?campaignId=1"), "campaignId", "must be an id")
    refused(yield* client.get("/api/rewards/issuances?created_after=2026"), "created_after", "must be a time")
    refused(yield* client.get("/health?verbose=1"), "verbose", "is not a known field")
    refused(yield* client.post(`${issue}?dryRun=true`, {}), "dryRun", "is not a known field")
    const one = "cmp_00000000000000000000000000"
    const both = yield* client.get(`/api/campaigns?starting_after=${one}&ending_before=${one}`)
    refused(both, "ending_before", "cannot be combined with starting_after")
  }),
)

live("an id that is none is named, however it is escaped", () =>
  Effect.gen(function* () {
    const { client } = yield* withCampaign
    for (const id of [
      "1",
      "%00",
      "a%2Fb",
      "..%2f..%2fetc",
      "cmp_%0000000000000000000000000",
      "%E2%82%AC",
      "'%20OR%201=1",
    ]) {
      refused(yield* client.get(`/api/campaigns/${id}`), "id", "must be an id")
      refused(yield* client.get(`/api/rewards/issuances/${id}`), "id", "must be an id")
    }
    refused(yield* client.get("/api/campaigns/%zz"), "path", "malformed % escape")
    refused(yield* client.get("/api/campaigns/%ff"), "path", "malformed % escape")
  }),
)

live("a missing key and a name sent twice are named, like any field at fault", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const campaignId = yield* Api.newCampaign(client)
    const { idempotencyKey, ...keyless } = Api.reward(campaignId)
    const missing = yield* client.post("/api/rewards/issue", keyless)
    expect([missing.body.code, missing.body.param]).toEqual(["idempotency.key_missing", "idempotencyKey"])
    expect(missing.body.errors).toEqual([
      { param: "idempotencyKey", message: "is required, here or in the Idempotency-Key header" },
    ])
    const differ = yield* client.post(
      "/api/rewards/issue",
      { ...keyless, idempotencyKey },
      { "idempotency-key": "other" },
    )
    expect([differ.body.code, differ.body.errors]).toEqual([
      "idempotency.keys_differ",
      [{ param: "idempotencyKey", message: "differs from the Idempotency-Key header" }],
    ])
    const twice = yield* client.post("/api/rewards/issue", '{"amount":"1","amount":"2"}')
    expect([twice.body.code, twice.body.param]).toEqual(["request.invalid_json", "amount"])
    expect(twice.body.errors).toEqual([{ param: "amount", message: "is twice in one object" }])
    expect(twice.body.detail).toBe('The name "amount" is twice in one object.')
    const unnamed = yield* client.post("/api/rewards/issue", '{"":1,"":2}')
    expect([unnamed.body.param, unnamed.body.errors]).toEqual(["body", undefined])
    for (const answer of [missing, differ, twice, unnamed]) expectProblem(answer)
  }),
)
