/** A way to provoke every error code that a healthy server can give. */
import { Effect } from "effect"
import type { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import type { ErrorCode } from "../../src/api/ErrorCode.ts"
import type { Merchants } from "../../src/merchant/Merchants.ts"
import * as Api from "./ApiHarness.ts"

/** These need a broken server: see Faults.test.ts and DatabaseOutage.test.ts. */
export type FaultCode = "server.internal" | "server.unavailable" | "server.not_ready"
/** This needs a client that stops in the middle of a body: see RequestRules.test.ts. */
export type SlowCode = "request.timeout"

type Provocation = Effect.Effect<Api.Answer, unknown, HttpServer.HttpServer | Merchants | SqlClient.SqlClient>

const issue = "/api/rewards/issue"
const nowhere = "00000000000000000000000000"

const withCampaign = (use: (client: Api.Client, campaignId: string) => Provocation): Provocation =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    return yield* use(client, yield* Api.newCampaign(client))
  })

/** What is provoked, and the field that the problem must name (undefined: none). */
export const provocations: Record<
  Exclude<ErrorCode, FaultCode | SlowCode>,
  { readonly param: string | undefined; readonly provoke: Provocation }
> = {
  "request.invalid": {
    param: "amount",
    provoke: withCampaign((client, id) => client.post(issue, Api.reward(id, { amount: 25 }))),
  },
  "request.invalid_json": { param: "body", provoke: withCampaign((client) => client.post(issue, "{")) },
  "request.unexpected_body": {
    param: "body",
    provoke: withCampaign((client) => Api.sendRaw(client, "GET", "/api/campaigns", "abc")),
  },
  "idempotency.key_missing": {
    param: "idempotencyKey",
    provoke: withCampaign((client, id) => {
      const { idempotencyKey: _, ...body } = Api.reward(id)
      return client.post(issue, body)
    }),
  },
  "idempotency.keys_differ": {
    param: "idempotencyKey",
    provoke: withCampaign((client, id) =>
      client.post(issue, Api.reward(id), { "idempotency-key": "another" }),
    ),
  },
  "campaign.dates_reversed": {
    param: "endsAt",
    provoke: withCampaign((client) =>
      client.post("/api/campaigns", { name: "x", budget: "1", endsAt: "2020-01-01T00:00:00Z" }),
    ),
  },
  "issuance.wallet_not_payable": {
    param: "walletAddress",
    provoke: withCampaign((client, id) =>
      client.post(issue, Api.reward(id, { walletAddress: Api.UNPAYABLE_WALLET })),
    ),
  },
  "issuance.mode_not_paid": {
    param: undefined,
    provoke: withCampaign((client) =>
      Effect.gen(function* () {
        const live = yield* Api.clientOf(client.merchantId, "live")
        return yield* live.post(issue, Api.reward(yield* Api.newCampaign(live)))
      }),
    ),
  },
  "auth.invalid_key": { param: undefined, provoke: Api.send("/api/campaigns") },
  "route.not_found": { param: undefined, provoke: Api.send("/nowhere") },
  "campaign.not_found": {
    param: "campaignId",
    provoke: withCampaign((client) => client.post(issue, Api.reward(`cmp_${nowhere}`))),
  },
  "issuance.not_found": {
    param: "id",
    provoke: withCampaign((client) => client.get(`/api/rewards/issuances/iss_${nowhere}`)),
  },
  "route.method_not_allowed": { param: undefined, provoke: Api.send(issue, { method: "DELETE" }) },
  "campaign.not_active": {
    param: "campaignId",
    provoke: withCampaign((client, id) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`UPDATE campaigns SET status = 'paused' WHERE id = ${id}`
        return yield* client.post(issue, Api.reward(id))
      }),
    ),
  },
  "campaign.budget_exhausted": {
    param: "amount",
    provoke: withCampaign((client, id) => client.post(issue, Api.reward(id, { amount: "1000.0000001" }))),
  },
  "campaign.wallet_cap_reached": {
    param: "amount",
    provoke: Effect.gen(function* () {
      const client = yield* Api.newClient()
      const cap = { walletCap: { amount: "24.9999999", period: "day" } }
      return yield* client.post(issue, Api.reward(yield* Api.newCampaign(client, "1000", cap)))
    }),
  },
  "campaign.budget_below_promised": {
    param: "budget",
    provoke: withCampaign((client, id) =>
      Effect.gen(function* () {
        yield* client.post(issue, Api.reward(id))
        return yield* client.patch(`/api/campaigns/${id}`, { budget: "24.9999999" })
      }),
    ),
  },
  "campaign.ended": {
    param: "status",
    provoke: withCampaign((client, id) =>
      Effect.gen(function* () {
        yield* client.patch(`/api/campaigns/${id}`, { status: "ended" })
        return yield* client.patch(`/api/campaigns/${id}`, { status: "active" })
      }),
    ),
  },
  "issuance.state_conflict": {
    param: "action",
    provoke: withCampaign((client, id) =>
      Effect.gen(function* () {
        const { issuanceId } = (yield* client.post(issue, Api.reward(id))).body
        return yield* client.patch(`/api/rewards/issuances/${issuanceId}`, { action: "retry" })
      }),
    ),
  },
  "request.too_large": {
    param: "body",
    provoke: withCampaign((client) => client.post(issue, `"${"x".repeat(2_000_000)}"`)),
  },
  "request.unsupported_media_type": {
    param: "content-type",
    provoke: withCampaign((client, id) =>
      client.post(issue, Api.reward(id), { "content-type": "text/plain" }),
    ),
  },
  "idempotency.key_reused": {
    param: "idempotencyKey",
    provoke: withCampaign((client, id) =>
      Effect.gen(function* () {
        const body = Api.reward(id)
        yield* client.post(issue, body)
        return yield* client.post(issue, { ...body, amount: "26" })
      }),
    ),
  },
}
