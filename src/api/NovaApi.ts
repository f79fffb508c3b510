/**
 * The contract. Server, OpenAPI document, documentation page and typed client all come from this one value.
 */
import { HttpApi, OpenApi } from "effect/http-api"
import { CampaignRoutes } from "./Campaigns.ts"
import { HealthRoutes } from "./Health.ts"
import { RequestRules } from "./RequestRules.ts"
import { RewardRoutes } from "./Rewards.ts"

const description = `Turns "give this customer 25 NOVA" into a payment on the Stellar ledger, exactly once.

- **Keys**: send yours as \`x-api-key\` or as a bearer token. A \`nova_test_\` key sees test data only, a \`nova_live_\` key live data only.
- **Amounts** are decimal strings in units of the asset, with at most seven places; never JSON numbers.
- **Idempotency**: issuing takes a key of your own. Repeat any request as often as you like: it is accepted once.
- **Errors** are RFC 9457 problems (\`application/problem+json\`) with a stable \`code\`.
- **Lists** are newest first and paged by cursor.
- **X-Request-Id**: send one of your own (1-128 letters, digits, \`.\`, \`_\`, \`:\`, \`-\`), or read the one that every answer carries. The server logs each answer with a status of 400 or above under it, with method, route, status, code and duration; successes are not logged.`

// The first fault would be enough for a program, but a person wants to mend all of them at once.
const strict = { errors: "all", onExcessProperty: "error" } as const

export class NovaApi extends HttpApi.make("nova-rewards")
  .add(RewardRoutes, CampaignRoutes, HealthRoutes)
  .middleware(RequestRules)
  .annotate(HttpApi.PayloadParseOptions, strict)
  .annotate(HttpApi.QueryParseOptions, strict)
  .annotate(HttpApi.ParamsParseOptions, strict)
  .annotate(HttpApi.HeadersParseOptions, { errors: "all" })
  .annotateMerge(OpenApi.annotations({ title: "Nova Rewards", version: "0.1.0", description })) {}
