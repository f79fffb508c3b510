import { expect } from "bun:test"
import { Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { Draining } from "../../src/health/Draining.ts"
import { IssuanceWaits, POLL_INTERVAL_MS } from "../../src/issuance/IssuanceWaits.ts"
import * as Api from "../api/ApiHarness.ts"
import { expectDocumented } from "../api/Documented.ts"
import { withLayer } from "../support/it.ts"

const idle = Layer.succeed(Draining, { isDraining: Effect.succeed(false), drain: Effect.void })
const { effect, live } = withLayer(Api.layer)

const path = "/api/rewards/distribute"

const withCampaign = Effect.gen(function* () {
  const client = yield* Api.newClient()
  const campaignId = yield* Api.newCampaign(client)
  const send = (body: unknown, wait?: string) =>
    Effect.tap(client.post(path, body, wait === undefined ? {} : { prefer: wait }), (answer) =>
      Effect.sync(() => expectDocumented("POST", path, answer)),
    )
  return { client, campaignId, send }
})

/** The ledger's part: the reward is there now, and is confirmed. */
const confirm = Effect.fnUntraced(function* (idempotencyKey: string) {
  const sql = yield* SqlClient.SqlClient
  let rows: ReadonlyArray<unknown> = []
  while (rows.length === 0) {
    yield* Effect.sleep(20)
    rows = yield* sql`
      UPDATE reward_issuances SET status = 'confirmed', tx_hash = encode(sha256(id::bytea), 'hex'), ledger = 7,
        operation_index = 0, confirmed_at = ${new Date(0)}
      WHERE idempotency_key = ${idempotencyKey} AND status = 'pending' RETURNING id`
  }
})

live("waits for the end and answers with all of it; the same key again is a replay", () =>
  Effect.gen(function* () {
    const { campaignId, send } = yield* withCampaign
    const body = Api.reward(campaignId)
    const waiting = yield* Effect.forkChild(send(body))
    yield* confirm(body.idempotencyKey)
    const answer = yield* Fiber.join(waiting)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      status: "confirmed",
      ledger: 7,
      priority: "high",
      payout: "payment",
      claimableBalance: null,
      timeline: [{ from: null, to: "pending" }],
    })
    expect([answer.headers.get("preference-applied"), answer.headers.get("idempotent-replayed")]).toEqual([
      null,
      null,
    ])
    const again = yield* send(body, "wait=1")
    expect([again.status, again.body]).toEqual([200, answer.body])
    expect([again.headers.get("preference-applied"), again.headers.get("idempotent-replayed")]).toEqual([
      "wait=1",
      "true",
    ])
  }),
)

live("when it takes longer, it answers with how far it is, and the reward goes on", () =>
  Effect.gen(function* () {
    const { campaignId, client, send } = yield* withCampaign
    const body = Api.reward(campaignId)
    const answer = yield* send(body, "wait=0")
    expect([answer.status, answer.body.status]).toEqual([202, "pending"])
    expect(answer.headers.get("preference-applied")).toBe("wait=1")
    expect((yield* client.post("/api/rewards/issue", body)).body.issuanceId).toBe(answer.body.id)
    const other = yield* send({ ...body, amount: "26" })
    expect([other.status, other.body.code]).toEqual([422, "idempotency.key_reused"])
  }),
)

live("a held or failed reward is an answer too", () =>
  Effect.gen(function* () {
    const { campaignId, send } = yield* withCampaign
    const sql = yield* SqlClient.SqlClient
    for (const [status, reason] of [
      ["held", "no_trustline"],
      ["failed", "no_account"],
    ] as const) {
      const body = Api.reward(campaignId)
      yield* send(body, "wait=1")
      yield* sql`
        UPDATE reward_issuances SET status = ${status}, reason = ${reason} WHERE idempotency_key = ${body.idempotencyKey}`
      const answer = yield* send(body)
      expect([answer.status, answer.body.status, answer.body.reason]).toEqual([200, status, reason])
    }
  }),
)

live("many wait for one reward: it is paid once, and all of them hear of it", () =>
  Effect.gen(function* () {
    const { campaignId, send } = yield* withCampaign
    const body = Api.reward(campaignId)
    const waiting = yield* Effect.forkChild(
      Effect.all(
        Array.from({ length: 20 }, () => send(body)),
        { concurrency: "unbounded" },
      ),
    )
    yield* confirm(body.idempotencyKey)
    const answers = yield* Fiber.join(waiting)
    expect(answers.map(({ body: { status } }) => status)).toEqual(answers.map(() => "confirmed"))
    expect(new Set(answers.map(({ body: { id } }) => id)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.get("idempotent-replayed") === null).length).toBe(1)
  }),
)

live("a client that hangs up is not waited for any longer, and its reward goes on", () =>
  Effect.gen(function* () {
    const { campaignId, client } = yield* withCampaign
    const body = Api.reward(campaignId)
    const waited = (count: number) =>
      Effect.gen(function* () {
        while (!(yield* Api.send("/metrics")).text.includes(`\nissuance_waited_for ${count}\n`))
          yield* Effect.sleep(20)
      })
    const url = `${yield* Api.baseUrl}${path}`
    const hangUp = new AbortController()
    const sending = fetch(url, {
      method: "POST",
      headers: { "x-api-key": client.key, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: hangUp.signal,
    }).catch(() => "hung up")
    yield* waited(1)
    hangUp.abort()
    expect(yield* Effect.promise(() => sending)).toBe("hung up")
    yield* waited(0)
    expect((yield* client.post("/api/rewards/issue", body)).body.status).toBe("pending")
  }),
)

live("a claimable balance is shown with the reward that it pays", () =>
  Effect.gen(function* () {
    const { campaignId, client } = yield* withCampaign
    const sql = yield* SqlClient.SqlClient
    const body = Api.reward(campaignId)
    const { issuanceId } = (yield* client.post("/api/rewards/issue", body)).body
    const balanceId = `00000000${"ab".repeat(32)}`
    const at = new Date(Date.UTC(2027, 0))
    yield* sql`UPDATE reward_issuances SET payout = 'claimable_balance' WHERE id = ${issuanceId}`
    yield* sql`
      INSERT INTO claimable_balances (issuance_id, balance_id, reclaim_after, status, created_at, updated_at)
      VALUES (${issuanceId}, ${balanceId}, ${at}, 'open', ${at}, ${at})`
    const shown = {
      payout: "claimable_balance",
      claimableBalance: { balanceId, reclaimAfter: "2027-01-01T00:00:00.000Z", status: "open" },
    }
    const url = `/api/rewards/issuances/${issuanceId}`
    const found = yield* client.get(url)
    expectDocumented("GET", url, found)
    expect(found.body).toMatchObject(shown)
    expect((yield* client.get("/api/rewards/issuances")).body.data[0]).toMatchObject(shown)
  }),
)

effect("however many wait, one statement in each interval asks for all; who gives up is forgotten", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const client = yield* Api.newClient()
    const campaignId = yield* Api.newCampaign(client)
    const bodies = Array.from({ length: 10 }, () => Api.reward(campaignId))
    const ids = yield* Effect.forEach(bodies, (body) =>
      Effect.map(client.post("/api/rewards/issue", body), (answer) => String(answer.body.issuanceId)),
    )
    const waits = yield* IssuanceWaits
    const fibers = yield* Effect.forEach([...ids, ...ids], (id) =>
      Effect.forkChild(waits.rest(id), { startImmediately: true }),
    )
    expect(yield* waits.size).toBe(10)
    const [impatient] = fibers
    if (impatient !== undefined) yield* Fiber.interrupt(impatient)
    expect(yield* waits.size).toBe(10)
    yield* sql`UPDATE reward_issuances SET status = 'cancelled' WHERE id = ANY(${ids.slice(1)}::text[])`
    yield* TestClock.adjust(POLL_INTERVAL_MS - 1)
    expect(yield* waits.size).toBe(10)
    yield* TestClock.adjust(1)
    yield* Effect.forEach(
      fibers.filter((_, index) => index % 10 !== 0),
      Fiber.join,
    )
    expect(yield* waits.size).toBe(1)
    yield* Effect.forEach(fibers, Fiber.interrupt)
    expect(yield* waits.size).toBe(0)
  }).pipe(Effect.provide(Layer.fresh(IssuanceWaits.layer).pipe(Layer.provide(idle)))),
)

effect("a stop ends every wait", () =>
  Effect.gen(function* () {
    const waits = yield* IssuanceWaits
    const waiting = yield* Effect.forkChild(waits.rest("iss_00000000000000000000000000"), {
      startImmediately: true,
    })
    yield* TestClock.adjust(POLL_INTERVAL_MS)
    yield* Fiber.join(waiting)
  }).pipe(
    Effect.provide(
      Layer.fresh(IssuanceWaits.layer).pipe(
        Layer.provide(Layer.succeed(Draining, { isDraining: Effect.succeed(true), drain: Effect.void })),
      ),
    ),
  ),
)
