import { expect } from "bun:test"
import { Effect } from "effect"
import { HttpApi } from "effect/http-api"
import { Auth } from "../../src/api/Auth.ts"
import { NovaApi } from "../../src/api/NovaApi.ts"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"
import { expectProblem } from "./ProblemShape.ts"

const { live } = withLayer(Api.layer)

interface Owned {
  readonly client: Api.Client
  readonly campaignId: string
  readonly issuanceId: string
  readonly key: string
}

type Call = (client: Api.Client, of: Owned) => ReturnType<Api.Client["get"]>

/** How to reach for another's data through each route that asks for a key. */
const reach: Readonly<
  Record<string, { readonly call: Call; readonly finds: "nothing" | "not_found" | "own" | "refused" }>
> = {
  "POST /api/rewards/issue": {
    call: (client, of) => client.post("/api/rewards/issue", Api.reward(of.campaignId)),
    finds: "not_found",
  },
  "POST /api/rewards/distribute": {
    call: (client, of) =>
      client.post("/api/rewards/distribute", Api.reward(of.campaignId), { prefer: "wait=1" }),
    finds: "not_found",
  },
  "POST /api/rewards/issue/batch": {
    call: (client, of) => client.post("/api/rewards/issue/batch", { items: [Api.reward(of.campaignId)] }),
    finds: "refused",
  },
  "PATCH /api/rewards/issuances/:id": {
    call: (client, of) => client.patch(`/api/rewards/issuances/${of.issuanceId}`, { action: "cancel" }),
    finds: "not_found",
  },
  "PATCH /api/campaigns/:id": {
    call: (client, of) => client.patch(`/api/campaigns/${of.campaignId}`, { name: "Theirs" }),
    finds: "not_found",
  },
  "GET /api/rewards/issuances": {
    call: (client, of) => client.get(`/api/rewards/issuances?campaignId=${of.campaignId}&limit=100`),
    finds: "nothing",
  },
  "GET /api/rewards/issuances/:id": {
    call: (client, of) => client.get(`/api/rewards/issuances/${of.issuanceId}`),
    finds: "not_found",
  },
  "POST /api/campaigns": {
    call: (client) => client.post("/api/campaigns", { name: "Mine", budget: "1" }),
    finds: "own",
  },
  "GET /api/campaigns": { call: (client) => client.get("/api/campaigns?limit=100"), finds: "nothing" },
  "GET /api/campaigns/:id": {
    call: (client, of) => client.get(`/api/campaigns/${of.campaignId}`),
    finds: "not_found",
  },
}

/** The routes as the contract has them: those that ask for a key, and those that do not. */
const contract = () => {
  const guarded: Array<string> = []
  const open: Array<string> = []
  HttpApi.reflect(NovaApi, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, middleware }) => {
      const list = [...middleware].some((each) => each.key === Auth.key) ? guarded : open
      list.push(`${endpoint.method} ${endpoint.path}`)
    },
  })
  return { guarded, open }
}

const newOwned = Effect.gen(function* () {
  const client = yield* Api.newClient()
  const campaignId = yield* Api.newCampaign(client)
  const body = Api.reward(campaignId, { userId: "user-42" })
  const issued = yield* client.post("/api/rewards/issue", body)
  return { client, campaignId, issuanceId: issued.body.issuanceId, key: body.idempotencyKey } satisfies Owned
})

live("every route asks for a key, but for those that everybody may read", () =>
  Effect.sync(() => {
    const { guarded, open } = contract()
    expect(guarded.sort()).toEqual(Object.keys(reach).sort())
    expect(open.sort()).toEqual(["GET /api/v1/health", "GET /health", "GET /health/ready", "GET /metrics"])
  }),
)

for (const [route, { call, finds }] of Object.entries(reach)) {
  live(`${route} finds nothing of another merchant, nor of the other mode`, () =>
    Effect.gen(function* () {
      const of = yield* newOwned
      const strangers = [yield* Api.newClient(), yield* Api.clientOf(of.client.merchantId, "live")]
      const unknown = {
        ...of,
        campaignId: "cmp_00000000000000000000000000",
        issuanceId: "iss_00000000000000000000000000",
      }
      for (const stranger of strangers) {
        const answer = yield* call(stranger, of)
        if (finds === "nothing") {
          expect([answer.status, answer.body]).toEqual([200, { data: [], has_more: false }])
        } else if (finds === "refused") {
          const refusal = (one: Api.Answer) => [
            one.status,
            one.body.results[0].issuanceId,
            one.body.results[0].problem.code,
          ]
          expect(refusal(answer)).toEqual([200, null, "campaign.not_found"])
          expect(refusal(answer)).toEqual(refusal(yield* call(stranger, unknown)))
        } else if (finds === "own") {
          expect(answer.status).toBe(201)
          expect((yield* of.client.get(`/api/campaigns/${answer.body.id}`)).status).toBe(404)
        } else {
          expect(answer.status).toBe(404)
          expectProblem(answer)
          // Exists for somebody else, and exists for nobody: one answer.
          const nowhere = yield* call(stranger, unknown)
          expect({ ...answer.body, request_id: "" }).toEqual({ ...nowhere.body, request_id: "" })
        }
      }
      expect((yield* call(of.client, of)).status).toBeLessThan(300)
    }),
  )

  live(`${route} refuses every key that is none, with one answer`, () =>
    Effect.gen(function* () {
      const of = yield* newOwned
      const { key } = of.client
      const bad = [
        "",
        "nova_test_",
        "x",
        key.slice(0, -1),
        `${key}x`,
        key.toUpperCase(),
        `nova_live_${key.slice(10)}`,
      ]
      const answers: Array<unknown> = []
      for (const wrong of bad) {
        const withKey: Api.Client = {
          ...of.client,
          get: (path) => Api.send(path, { headers: { "x-api-key": wrong } }),
          post: (path, body) => of.client.post(path, body, { "x-api-key": wrong }),
          patch: (path, body) => of.client.patch(path, body, { "x-api-key": wrong }),
        }
        const answer = yield* call(withKey, of)
        expect([wrong, answer.status]).toEqual([wrong, 401])
        expectProblem(answer)
        expect(answer.headers.get("www-authenticate")).toBe("Bearer")
        answers.push({ ...answer.body, request_id: "" })
      }
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    }),
  )
}

live("a key is taken from x-api-key or as a bearer token, whatever the scheme's case", () =>
  Effect.gen(function* () {
    const { key } = yield* Api.newClient()
    const status = (headers: Record<string, string>) =>
      Effect.map(Api.send("/api/campaigns", { headers }), (answer) => answer.status)
    expect(yield* status({ "x-api-key": key })).toBe(200)
    expect(yield* status({ authorization: `Bearer ${key}` })).toBe(200)
    expect(yield* status({ authorization: `bearer ${key}` })).toBe(200)
    expect(yield* status({ authorization: `Basic ${btoa(`${key}:`)}` })).toBe(401)
    expect(yield* status({ authorization: key })).toBe(401)
    expect(yield* status({})).toBe(401)
  }),
)

live("one merchant's keys, users and amounts do not collide with another's", () =>
  Effect.gen(function* () {
    const mine = yield* newOwned
    const theirs = yield* newOwned
    const body = Api.reward(theirs.campaignId, { idempotencyKey: mine.key, userId: "user-42", amount: "7" })
    const answer = yield* theirs.client.post("/api/rewards/issue", body)
    expect(answer.status).toBe(202)
    const found = yield* mine.client.get(`/api/rewards/issuances/${mine.issuanceId}`)
    expect(found.body.amount).toBe("25.0000000")
  }),
)
