import { expect } from "bun:test"
import { Cause, Effect, Exit, Fiber, Layer, Logger } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { SqlError } from "effect/sql"
import { TestClock } from "effect/testing"
import { ANSWER_WITHIN_MS, httpEdge } from "../../src/api/HttpEdge.ts"
import { withLayer } from "../support/it.ts"

const { effect } = withLayer(Layer.merge(SecureRandom.layerWebCrypto, Logger.layer([])))

/** What the edge makes of a router that does this. */
const answerOf = (app: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>) =>
  Effect.gen(function* () {
    const request = HttpServerRequest.fromWeb(new Request("http://localhost/api/campaigns"))
    const edge = yield* httpEdge(app, { bodyBytesMax: 1024, isDraining: Effect.succeed(false) })
    const response = yield* edge.pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, request),
      Effect.scoped,
    )
    const text = yield* Effect.promise(() => HttpServerResponse.toWeb(response).text())
    return { status: response.status, code: String(JSON.parse(text).code) }
  })

effect("a request that takes too long is given up with a 503", () =>
  Effect.gen(function* () {
    const waiting = yield* Effect.forkChild(answerOf(Effect.never))
    yield* TestClock.adjust(ANSWER_WITHIN_MS - 1)
    expect(waiting.pollUnsafe()).toBeUndefined()
    yield* TestClock.adjust(1)
    expect(yield* Fiber.join(waiting)).toEqual({ status: 503, code: "server.unavailable" })
  }),
)

const sqlError = (reason: SqlError.SqlErrorReason) => Effect.die(new SqlError.SqlError({ reason }))
const withState = (code: string) =>
  sqlError(new SqlError.UnknownError({ cause: Object.assign(new Error("pg"), { code }), message: "pg" }))

effect("faults of the database itself may be retried, faults of a statement are ours", () =>
  Effect.gen(function* () {
    const cause = new Error("pg")
    const away = [
      sqlError(new SqlError.ConnectionError({ cause })),
      sqlError(new SqlError.DeadlockError({ cause })),
      sqlError(new SqlError.SerializationError({ cause })),
      sqlError(new SqlError.LockTimeoutError({ cause })),
      sqlError(new SqlError.StatementTimeoutError({ cause })),
      sqlError(new SqlError.AuthenticationError({ cause })),
      // too_many_connections, admin_shutdown, cannot_connect_now:
      // https://www.postgresql.org/docs/18/errcodes-appendix.html
      withState("53300"),
      withState("57P01"),
      withState("57P03"),
    ]
    for (const app of away) expect(yield* answerOf(app)).toEqual({ status: 503, code: "server.unavailable" })
    const ours = [
      sqlError(new SqlError.SqlSyntaxError({ cause })),
      sqlError(new SqlError.ConstraintError({ cause })),
      sqlError(new SqlError.UniqueViolation({ cause, constraint: "x" })),
      withState("22003"),
      Effect.die("a string"),
      Effect.die(undefined),
      Effect.die(new Error("bug")),
      Effect.fail({ unforeseen: true }),
    ]
    for (const app of ours) expect(yield* answerOf(app)).toEqual({ status: 500, code: "server.internal" })
  }),
)

effect("an interrupted request stays interrupted: nobody waits for its answer", () =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(answerOf(Effect.interrupt))
    expect(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)).toBe(true)
  }),
)
