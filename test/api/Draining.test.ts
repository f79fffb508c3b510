import { expect } from "bun:test"
import { ConfigProvider, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { HttpServer } from "effect/http"
import { live } from "../support/it.ts"
import * as Api from "./ApiHarness.ts"
import { expectProblem } from "./ProblemShape.ts"

const DELAY_MS = 400

const settings = ConfigProvider.layer(ConfigProvider.fromUnknown({ DRAIN_DELAY_MS: String(DELAY_MS) }))

live(
  "a stop: not ready at once, still answering for the delay, then gone; open requests finish",
  () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Api.layer.pipe(Layer.provide(settings)), scope)
      yield* Effect.gen(function* () {
        const client = yield* Api.newClient()
        const campaignId = yield* Api.newCampaign(client)
        expect((yield* Api.send("/health/ready")).status).toBe(200)
        const stopping = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* Effect.sleep(DELAY_MS / 4)
        const ready = yield* Api.send("/health/ready")
        expect([ready.status, ready.body.code]).toEqual([503, "server.not_ready"])
        expect(ready.body.errors).toEqual([{ param: "server", message: "is stopping" }])
        expectProblem(ready)
        const alive = yield* Api.send("/health")
        expect([alive.status, alive.headers.get("connection")]).toEqual([200, "close"])
        expect((yield* client.post("/api/rewards/issue", Api.reward(campaignId))).status).toBe(202)
        yield* Fiber.join(stopping)
        const url = yield* Api.baseUrl
        const after = yield* Effect.exit(Effect.tryPromise(() => fetch(`${url}/health`)))
        expect(Exit.isFailure(after)).toBe(true)
      }).pipe(Effect.provide(Layer.succeedContext(context)))
    }),
  { timeout: 30_000 },
)

live(
  "every answer that was begun before the port closes arrives",
  () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Api.layer, scope)
      const answers = yield* Effect.gen(function* () {
        yield* HttpServer.HttpServer
        const client = yield* Api.newClient()
        const campaignId = yield* Api.newCampaign(client)
        const sending = yield* Effect.forkChild(
          Effect.all(
            Array.from({ length: 20 }, () => client.post("/api/rewards/issue", Api.reward(campaignId))),
            { concurrency: "unbounded" },
          ),
        )
        yield* Effect.sleep(10)
        yield* Scope.close(scope, Exit.void)
        return yield* Fiber.join(sending)
      }).pipe(Effect.provide(Layer.succeedContext(context)))
      expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 202))
    }),
  { timeout: 30_000 },
)

live(
  "who waits for the end of a reward at a stop is told how far it is",
  () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Api.layer, scope)
      const answer = yield* Effect.gen(function* () {
        yield* HttpServer.HttpServer
        const client = yield* Api.newClient()
        const campaignId = yield* Api.newCampaign(client)
        const waiting = yield* Effect.forkChild(
          client.post("/api/rewards/distribute", Api.reward(campaignId)),
        )
        while (!(yield* Api.send("/metrics")).text.includes("\nissuance_waited_for 1\n"))
          yield* Effect.sleep(20)
        yield* Effect.forkChild(Scope.close(scope, Exit.void))
        return yield* Fiber.join(waiting)
      }).pipe(Effect.provide(Layer.succeedContext(context)))
      expect([answer.status, answer.body.status]).toEqual([202, "pending"])
    }),
  { timeout: 30_000 },
)
