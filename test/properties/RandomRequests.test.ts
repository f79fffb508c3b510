import { expect } from "bun:test"
import { Effect } from "effect"
import type { HttpServer } from "effect/http"
import fc from "fast-check"
import { routes } from "../../src/api/RouteTable.ts"
import * as Api from "../api/ApiHarness.ts"
import { expectDocumented } from "../api/Documented.ts"
import { withLayer } from "../support/it.ts"

const { live } = withLayer(Api.layer)

/** What the requests are built around: a merchant whose data is really there. */
interface World {
  readonly key: string
  readonly campaignId: string
  readonly issuanceId: string
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.constantFrom(
    "\u0000",
    "\ud800",
    "a\u0000b",
    "'; DROP TABLE campaigns; --",
    "__proto__",
    "../../etc/passwd",
    "%00",
  ),
)

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  text,
  fc.double(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.constantFrom(null, true, [], {}, "25", "1e3", "-1", "99999999999999999999", "2026-11-21T09:30:00Z"),
)

const sometimes = <A>(arbitrary: fc.Arbitrary<A>, otherwise: A) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary })

/** A good body with some fields replaced, dropped or added. */
const mutated = (good: Record<string, unknown>) =>
  fc
    .record({
      key: fc.nat({ max: 50 }),
      replaced: sometimes(fc.dictionary(fc.constantFrom(...Object.keys(good)), odd, { maxKeys: 2 }), {}),
      dropped: sometimes(fc.subarray(Object.keys(good), { maxLength: 1 }), []),
      added: fc.option(fc.tuple(text, odd), { nil: undefined, freq: 5 }),
    })
    .map(({ key, replaced, dropped, added }) => {
      const keyed = "idempotencyKey" in good ? { idempotencyKey: `order-${key}` } : {}
      const body: Record<string, unknown> = { ...good, ...keyed, ...replaced }
      for (const field of dropped) delete body[field]
      if (added !== undefined) Object.defineProperty(body, added[0], { value: added[1], enumerable: true })
      return JSON.stringify(body)
    })

const bodies = ({ campaignId }: World) =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: mutated({
        idempotencyKey: "order-1",
        walletAddress: Api.WALLET,
        amount: "0.0000001",
        campaignId,
        userId: "user-42",
      }),
    },
    {
      weight: 2,
      arbitrary: mutated({
        name: "Summer",
        budget: "10",
        startsAt: "2026-01-01T00:00:00Z",
        endsAt: "2030-01-01T00:00:00Z",
      }),
    },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: text },
    { weight: 1, arbitrary: fc.constant("") },
  )

const segment = ({ campaignId, issuanceId }: World) =>
  fc.oneof(
    fc.constantFrom(
      campaignId,
      issuanceId,
      "cmp_00000000000000000000000000",
      "iss_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ),
    text.map((raw) => encodeURIComponent(raw.toWellFormed())),
    fc.string({ unit: fc.constantFrom("%", "0", "f", "a", ".", ";", "~", "+", ":"), maxLength: 12 }),
  )

const issueRoute = { method: "POST", path: "/api/rewards/issue" }

/** A route with its own method mostly, and with an id in its place. */
const targets = (world: World) =>
  fc
    .record({
      route: fc.oneof(
        { weight: 4, arbitrary: fc.constant(issueRoute) },
        { weight: 8, arbitrary: fc.constantFrom(...routes) },
        {
          weight: 1,
          arbitrary: fc.constantFrom({ method: "GET", path: "/:id" }, { method: "POST", path: "/api/:id/" }),
        },
      ),
      otherMethod: sometimes(
        fc.constantFrom("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"),
        undefined,
      ),
      id: segment(world),
    })
    .map(({ route, otherMethod, id }) => ({
      method: otherMethod ?? route.method,
      path: route.path.replace(":id", id),
    }))

const parameter = fc.oneof(
  fc.constantFrom(
    "limit",
    "starting_after",
    "ending_before",
    "status",
    "campaignId",
    "walletAddress",
    "created_after",
  ),
  text.map((raw) => encodeURIComponent(raw.toWellFormed())),
)

const values = ({ campaignId, issuanceId }: World) =>
  fc.oneof(
    fc.constantFrom(
      "10",
      "0",
      "pending",
      "active",
      campaignId,
      issuanceId,
      Api.WALLET,
      "2026-01-01T00:00:00Z",
      "%00",
      "%zz",
    ),
    text.map((raw) => encodeURIComponent(raw.toWellFormed())),
  )

const queries = (world: World) =>
  sometimes(
    fc
      .array(fc.tuple(parameter, values(world)), { maxLength: 3 })
      .map((pairs) => (pairs.length === 0 ? "" : `?${pairs.map((pair) => pair.join("=")).join("&")}`)),
    "",
  )

// What RFC 9110, section 5.5, lets a header carry; the HTTP parser refuses the rest before any program sees it.
const visible = fc.oneof(fc.integer({ min: 0x21, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }))
const headerValue = fc.string({ unit: visible.map((code) => String.fromCharCode(code)), maxLength: 40 })

const headers = ({ key }: World) =>
  sometimes(
    fc.record(
      {
        "x-api-key": fc.oneof(
          { weight: 8, arbitrary: fc.constant(key) },
          { weight: 1, arbitrary: headerValue },
        ),
        "content-type": fc.oneof(
          { weight: 8, arbitrary: fc.constant("application/json") },
          { weight: 1, arbitrary: headerValue },
        ),
        "idempotency-key": headerValue,
        "x-request-id": headerValue,
        authorization: headerValue,
        traceparent: headerValue,
        b3: headerValue,
        accept: headerValue,
        "content-encoding": fc.constantFrom("identity", "gzip"),
        cookie: headerValue,
      },
      { requiredKeys: ["x-api-key", "content-type"] },
    ),
    { "x-api-key": key, "content-type": "application/json" },
  )

const requests = (world: World) =>
  fc.record({
    target: targets(world),
    query: queries(world),
    headers: headers(world),
    body: bodies(world),
  })

const world = Effect.gen(function* () {
  const client = yield* Api.newClient()
  const campaignId = yield* Api.newCampaign(client, "922337203685")
  const issued = yield* client.post(
    "/api/rewards/issue",
    Api.reward(campaignId, { idempotencyKey: "order-0" }),
  )
  return { key: client.key, campaignId, issuanceId: String(issued.body.issuanceId) } satisfies World
})

live(
  "whatever is sent to whatever address: never a fault of the server, always an answer as documented",
  () =>
    Effect.gen(function* () {
      const context = yield* Effect.context<HttpServer.HttpServer>()
      const statuses = new Map<number, number>()
      const property = fc.asyncProperty(
        requests(yield* world),
        async ({ target: { method, path }, query, headers, body }) => {
          // As the client sends it, without "." and "..".
          const { pathname, search } = new URL(path + query, "http://localhost")
          const init = { method, headers, ...(method === "GET" || method === "HEAD" ? {} : { body }) }
          const answer = await Effect.runPromiseWith(context)(Api.send(pathname + search, init))
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          expectDocumented(method, pathname + search, answer)
        },
      )
      yield* Effect.promise(() => fc.assert(property, { numRuns: 3000 }))
      // The property has seen what it is about: acceptances as well as refusals of every kind.
      for (const status of [200, 202, 400, 401, 404, 405, 415]) {
        expect([status, (statuses.get(status) ?? 0) > 0]).toEqual([status, true])
      }
    }),
  { timeout: 300_000 },
)
