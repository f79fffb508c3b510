import { expect } from "bun:test"
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import * as RedisMemory from "../../layers/redis/RedisMemory.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import type { PageRequest } from "../../src/kernel/Page.ts"
import { Merchants } from "../../src/merchant/Merchants.ts"
import type { Owner } from "../../src/merchant/Owner.ts"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const ports = Layer.mergeAll(TestDatabase.layer, RedisMemory.layer, SecureRandom.layerWebCrypto)
const { effect } = withLayer(Layer.merge(Campaigns.layer, Merchants.layer).pipe(Layer.provideMerge(ports)))

const newOwner = Effect.gen(function* () {
  const { id } = yield* (yield* Merchants).create({ name: "Corner shop" })
  return { merchantId: id, mode: "test" } satisfies Owner
})

const day = (ordinal: number) => new Date(Date.UTC(2026, 0, ordinal))
const startAt = (ordinal: number) => TestClock.setTime(day(ordinal).getTime())

effect("a campaign is what was asked for, from now on", () =>
  Effect.gen(function* () {
    yield* startAt(5)
    const owner = yield* newOwner
    const campaigns = yield* Campaigns
    const created = yield* campaigns.create(owner, { name: "Summer", budgetStroops: 1000n })
    expect(created).toMatchObject({
      name: "Summer",
      status: "active",
      startsAt: day(5),
      endsAt: null,
      budgetStroops: 1000n,
      reservedStroops: 0n,
      spentStroops: 0n,
      createdAt: day(5),
    })
    expect(yield* campaigns.get(owner, created.id)).toEqual(created)
  }),
)

effect("it ends after it starts", () =>
  Effect.gen(function* () {
    yield* startAt(5)
    const owner = yield* newOwner
    const campaigns = yield* Campaigns
    const campaign = { name: "Summer", budgetStroops: 1n }
    for (const dates of [
      { endsAt: day(5) },
      { startsAt: day(9), endsAt: day(9) },
      { startsAt: day(9), endsAt: day(6) },
    ]) {
      const error = yield* Effect.flip(campaigns.create(owner, { ...campaign, ...dates }))
      expect(error.code).toBe("campaign.dates_reversed")
    }
    const past = yield* campaigns.create(owner, { ...campaign, startsAt: day(1), endsAt: day(2) })
    expect(past.status).toBe("active")
  }),
)

effect("belongs to one merchant and mode", () =>
  Effect.gen(function* () {
    const owner = yield* newOwner
    const stranger = yield* newOwner
    const campaigns = yield* Campaigns
    const { id } = yield* campaigns.create(owner, { name: "Summer", budgetStroops: 1n })
    for (const other of [stranger, { ...owner, mode: "live" as const }]) {
      expect((yield* Effect.flip(campaigns.get(other, id))).code).toBe("campaign.not_found")
      expect((yield* campaigns.list(other, {}, { limit: 10 })).data).toEqual([])
      expect((yield* Effect.flip(campaigns.change(other, id, { name: "Theirs" }))).code).toBe(
        "campaign.not_found",
      )
    }
  }),
)

effect("lists page through, newest first, in both directions", () =>
  Effect.gen(function* () {
    const owner = yield* newOwner
    const campaigns = yield* Campaigns
    const ids: Array<string> = []
    for (let count = 0; count < 5; count++) {
      yield* TestClock.adjust(1)
      ids.unshift((yield* campaigns.create(owner, { name: `n${count}`, budgetStroops: 1n })).id)
    }
    const [e = "", d = "", c = "", b = "", a = ""] = ids
    const page = (request: PageRequest) =>
      Effect.map(campaigns.list(owner, {}, request), ({ data, hasMore }) => ({
        ids: data.map((each) => each.id),
        hasMore,
      }))
    expect(yield* page({ limit: 2 })).toEqual({ ids: [e, d], hasMore: true })
    expect(yield* page({ limit: 2, startingAfter: d })).toEqual({ ids: [c, b], hasMore: true })
    expect(yield* page({ limit: 2, startingAfter: b })).toEqual({ ids: [a], hasMore: false })
    expect(yield* page({ limit: 2, endingBefore: b })).toEqual({ ids: [d, c], hasMore: true })
    expect(yield* page({ limit: 2, endingBefore: d })).toEqual({ ids: [e], hasMore: false })
    expect(yield* page({ limit: 5 })).toEqual({ ids, hasMore: false })
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE campaigns SET status = 'paused' WHERE id = ${c}`
    const paused = yield* campaigns.list(owner, { status: "paused" }, { limit: 10 })
    expect(paused.data.map((each) => each.id)).toEqual([c])
  }),
)
