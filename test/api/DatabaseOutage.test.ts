import { expect } from "bun:test"
import { Effect, Fiber, Layer } from "effect"
import { withLayer } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"
import { DatabaseProxy } from "./DatabaseProxy.ts"
import { expectProblem } from "./ProblemShape.ts"

const { live } = withLayer(Api.layerApi.pipe(Layer.provideMerge(DatabaseProxy.layer)))

const paths = ["/api/campaigns", "/api/rewards/issuances", "/api/campaigns/cmp_00000000000000000000000000"]

live(
  "without the database: 503 that may be retried, and everything works again afterwards",
  () =>
    Effect.gen(function* () {
      const proxy = yield* DatabaseProxy
      const client = yield* Api.newClient()
      const campaignId = yield* Api.newCampaign(client)
      const body = Api.reward(campaignId)
      yield* proxy.cut
      for (const path of paths) {
        const answer = yield* client.get(path)
        expect([path, answer.body?.code ?? answer.text]).toEqual([path, "server.unavailable"])
        expectProblem(answer)
        expect(answer.headers.get("retry-after")).toBe("1")
      }
      const refused = yield* client.post("/api/rewards/issue", body)
      expect([refused.status, refused.body.code]).toEqual([503, "server.unavailable"])
      // Malformed requests need no database, and an unknown key cannot be told from a known one.
      expect((yield* Api.send("/api/campaigns")).status).toBe(401)
      yield* proxy.open
      const accepted = yield* client.post("/api/rewards/issue", body)
      expect(accepted.status).toBe(202)
    }),
  { timeout: 30_000 },
)

live(
  "readiness says which dependency is down; liveness and metrics answer all the same",
  () =>
    Effect.gen(function* () {
      const proxy = yield* DatabaseProxy
      yield* proxy.cut
      for (const path of ["/health/ready", "/api/v1/health"]) {
        const answer = yield* Api.send(path)
        expect([path, answer.status, answer.body.code]).toEqual([path, 503, "server.not_ready"])
        expect(answer.body.errors).toEqual([{ param: "database", message: "is out of reach" }])
        expectProblem(answer)
      }
      expect((yield* Api.send("/health")).status).toBe(200)
      const metrics = yield* Api.send("/metrics")
      expect(metrics.status).toBe(200)
      expect(metrics.text).toContain("\ndatabase_up 0\n")
      expect(metrics.text).toContain("\nissuance_queue_depth NaN\n")
      yield* proxy.open
      expect((yield* Api.send("/health/ready")).status).toBe(200)
    }),
  { timeout: 30_000 },
)

live(
  "a reward whose answer was lost with the connection is accepted once, whenever it is sent again",
  () =>
    Effect.gen(function* () {
      const proxy = yield* DatabaseProxy
      const client = yield* Api.newClient()
      const campaignId = yield* Api.newCampaign(client, "1000")
      const bodies = Array.from({ length: 40 }, () => Api.reward(campaignId))
      for (let cut = 0; cut < 8; cut++) {
        const sending = yield* Effect.forkChild(
          Effect.forEach(bodies, (body) => client.post("/api/rewards/issue", body), { concurrency: 8 }),
        )
        yield* Effect.sleep(5 + cut * 3)
        yield* proxy.cut
        yield* proxy.open
        for (const answer of yield* Fiber.join(sending)) {
          expect([200, 202, 503]).toContain(answer.status)
          if (answer.status === 503) expectProblem(answer)
        }
      }
      const last = yield* Effect.forEach(bodies, (body) => client.post("/api/rewards/issue", body))
      for (const answer of last) expect([200, 202]).toContain(answer.status)
      expect(new Set(last.map((answer) => answer.body.issuanceId)).size).toBe(40)
      const campaign = yield* client.get(`/api/campaigns/${campaignId}`)
      expect([campaign.body.reserved, campaign.body.remaining]).toEqual(["1000.0000000", "0.0000000"])
    }),
  { timeout: 30_000 },
)

live(
  "a database that is silent makes readiness fail, and metrics say so, within seconds",
  () =>
    Effect.gen(function* () {
      const proxy = yield* DatabaseProxy
      expect((yield* Api.send("/health/ready")).status).toBe(200)
      yield* proxy.hold
      const answer = yield* Api.send("/health/ready")
      expect([answer.status, answer.body.code]).toEqual([503, "server.not_ready"])
      yield* proxy.cut
      yield* proxy.open
      expect((yield* Api.send("/health/ready")).status).toBe(200)
    }),
  { timeout: 30_000 },
)
