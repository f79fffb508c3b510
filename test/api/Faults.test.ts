import { expect } from "bun:test"
import { Effect, Layer, Logger } from "effect"
import { SqlClient } from "effect/sql"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"
import { expectProblem } from "./ProblemShape.ts"

const lines: Array<string> = []
const capture = Logger.layer([
  Logger.make((options) => {
    lines.push(JSON.stringify(Logger.formatStructured.log(options)))
  }),
])

const { live } = withLayer(Api.layer.pipe(Layer.provideMerge(capture)))

live("a fault of our own is a 500 without detail, and its trace is in the log under the request's id", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const campaignId = yield* Api.newCampaign(client)
    const sql = yield* SqlClient.SqlClient
    yield* sql`ALTER TABLE reward_issuances RENAME TO secret_table_name`
    const answer = yield* client.post("/api/rewards/issue", Api.reward(campaignId), {
      "x-request-id": "find-me",
    })
    expect([answer.status, answer.body.code, answer.body.request_id]).toEqual([
      500,
      "server.internal",
      "find-me",
    ])
    expectProblem(answer)
    expect(answer.text).not.toContain("secret_table_name")
    const logged = lines.filter((line) => line.includes('"request_id":"find-me"'))
    expect(logged.length).toBe(1)
    // What failed and where: the reason of PostgreSQL and the service's method.
    expect(logged[0]).toContain("reward_issuances")
    expect(logged[0]).toContain("AcceptRewards.accept")
    yield* sql`ALTER TABLE secret_table_name RENAME TO reward_issuances`
    expect((yield* client.post("/api/rewards/issue", Api.reward(campaignId))).status).toBe(202)
  }),
)

live("a row that no version of this program could have written is a 500, not a wrong answer", () =>
  Effect.gen(function* () {
    const client = yield* Api.newClient()
    const campaignId = yield* Api.newCampaign(client)
    const sql = yield* SqlClient.SqlClient
    yield* sql`ALTER TABLE campaigns DROP CONSTRAINT campaigns_status_check`
    yield* sql`UPDATE campaigns SET status = 'odd' WHERE id = ${campaignId}`
    const answer = yield* client.get(`/api/campaigns/${campaignId}`)
    expect([answer.status, answer.body.code]).toEqual([500, "server.internal"])
    expectProblem(answer)
  }),
)
