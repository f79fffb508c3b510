import { expect, it } from "bun:test"
import { Effect } from "effect"
import { errorCodes, problems } from "../../src/api/Problems.ts"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"
import { expectProblem } from "./ProblemShape.ts"
import { provocations } from "./Provoked.ts"

const { live } = withLayer(Api.layer)

for (const [code, { param, provoke }] of Object.entries(provocations)) {
  live(`${code} can be provoked, names its field and has the documented shape`, () =>
    Effect.gen(function* () {
      const answer = yield* provoke
      expect(answer.body?.code ?? answer.text).toBe(code)
      expect(answer.body.param).toBe(param)
      expectProblem(answer)
    }),
  )
}

it("codes, statuses and titles are what clients rely on", () => {
  // Append-only. A change of a line here breaks a merchant's program.
  const table = errorCodes.map((code) => `${code} ${problems[code].status} ${problems[code].retryable}`)
  expect(table).toEqual([
    "request.invalid 400 false",
    "request.invalid_json 400 false",
    "request.unexpected_body 400 false",
    "idempotency.key_missing 400 false",
    "idempotency.keys_differ 400 false",
    "campaign.dates_reversed 400 false",
    "issuance.wallet_not_payable 400 false",
    "issuance.mode_not_paid 403 false",
    "auth.invalid_key 401 false",
    "route.not_found 404 false",
    "campaign.not_found 404 false",
    "issuance.not_found 404 false",
    "route.method_not_allowed 405 false",
    "request.timeout 408 true",
    "campaign.not_active 409 false",
    "campaign.budget_exhausted 409 false",
    "campaign.wallet_cap_reached 409 false",
    "campaign.budget_below_promised 409 false",
    "campaign.ended 409 false",
    "issuance.state_conflict 409 false",
    "request.too_large 413 false",
    "request.unsupported_media_type 415 false",
    "idempotency.key_reused 422 false",
    "server.internal 500 true",
    "server.unavailable 503 true",
    "server.not_ready 503 true",
  ])
  for (const code of errorCodes) expect(problems[code].title).not.toMatch(/[.!]$/)
})
