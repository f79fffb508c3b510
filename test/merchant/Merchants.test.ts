import { expect } from "bun:test"
import { Effect, Layer, Option, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import * as RedisMemory from "../../layers/redis/RedisMemory.ts"
import { CACHE_TTL_MS, Merchants } from "../../src/merchant/Merchants.ts"
import { Redis, RedisError } from "../../src/ports/Redis.ts"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const ports = Layer.mergeAll(TestDatabase.layer, RedisMemory.layer, SecureRandom.layerWebCrypto)
const { effect } = withLayer(Merchants.layer.pipe(Layer.provideMerge(ports)))

const newKey = Effect.gen(function* () {
  const merchants = yield* Merchants
  const { id } = yield* merchants.create({ name: "Corner shop" })
  const key = yield* merchants.createKey({ merchantId: id, mode: "test" })
  return { merchants, merchantId: id, key }
})

effect("a key speaks for its merchant and mode", () =>
  Effect.gen(function* () {
    const { merchants, merchantId, key } = yield* newKey
    expect(yield* merchants.ownerOf(key)).toEqual(Option.some({ merchantId, mode: "test" }))
    const live = yield* merchants.createKey({ merchantId, mode: "live" })
    expect(yield* merchants.ownerOf(live)).toEqual(Option.some({ merchantId, mode: "live" }))
    const [newest, oldest] = yield* merchants.keys(merchantId)
    expect([newest?.mode, oldest?.mode]).toEqual(["live", "test"])
    expect(oldest?.hint).toBe(Redacted.value(key).slice(-4))
  }),
)

effect("the database holds no key, only its hash", () =>
  Effect.gen(function* () {
    const { key } = yield* newKey
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`SELECT k::text AS row FROM api_keys k`
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain(Redacted.value(key).slice(10, -4))
  }),
)

effect("an unknown, malformed or revoked key speaks for nobody", () =>
  Effect.gen(function* () {
    const { merchants, merchantId, key } = yield* newKey
    // Well-formed, but of another database: made here and forgotten.
    const sql = yield* SqlClient.SqlClient
    const unknown = yield* merchants.createKey({ merchantId, mode: "test" })
    yield* sql`DELETE FROM api_keys WHERE hint = ${Redacted.value(unknown).slice(-4)} AND merchant_id = ${merchantId}`
    for (const other of [unknown, Redacted.make(""), Redacted.make(`${Redacted.value(key)}x`)]) {
      expect(yield* merchants.ownerOf(other)).toEqual(Option.none())
    }
    const [{ id: keyId } = { id: "" }] = yield* merchants.keys(merchantId)
    expect(yield* merchants.revokeKey(keyId)).toBe(true)
    expect(yield* merchants.revokeKey(keyId)).toBe(false)
    expect(yield* merchants.revokeKey("key_unknown")).toBe(false)
    expect(yield* merchants.ownerOf(key)).toEqual(Option.none())
  }),
)

effect("a revocation elsewhere is noticed within the cache's time", () =>
  Effect.gen(function* () {
    const { merchants, merchantId, key } = yield* newKey
    yield* merchants.ownerOf(key)
    // Another process revokes: its cache is not ours.
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE api_keys SET revoked_at = created_at WHERE merchant_id = ${merchantId}`
    expect(Option.isSome(yield* merchants.ownerOf(key))).toBe(true)
    yield* TestClock.adjust(CACHE_TTL_MS)
    expect(yield* merchants.ownerOf(key)).toEqual(Option.none())
    expect(CACHE_TTL_MS).toBeLessThanOrEqual(1000)
  }),
)

const failing = Effect.fail(new RedisError({ reason: "unreachable", message: "no route" }))
const brokenRedis = Layer.succeed(Redis, {
  kind: "redis",
  get: () => failing,
  set: () => failing,
  remove: () => failing,
  increment: () => failing,
  ping: failing,
})

effect("a cache that is down costs no request", () =>
  Effect.gen(function* () {
    const { merchants, merchantId, key } = yield* newKey
    const owner = Option.some({ merchantId, mode: "test" as const })
    expect(yield* merchants.ownerOf(key)).toEqual(owner)
    expect(yield* merchants.ownerOf(key)).toEqual(owner)
    const [first] = yield* merchants.keys(merchantId)
    expect(yield* merchants.revokeKey(first?.id ?? "")).toBe(true)
    expect(yield* merchants.ownerOf(key)).toEqual(Option.none())
  }).pipe(Effect.provide(Layer.fresh(Merchants.layer).pipe(Layer.provide(brokenRedis)))),
)

effect("a cache full of nonsense is asked past", () =>
  Effect.gen(function* () {
    const { merchants, merchantId, key } = yield* newKey
    expect(yield* merchants.ownerOf(key)).toEqual(Option.some({ merchantId, mode: "test" }))
  }).pipe(
    Effect.provide(
      Layer.fresh(Merchants.layer).pipe(
        Layer.provide(
          Layer.succeed(Redis, {
            kind: "redis",
            get: () => Effect.succeed(Option.some('{"merchantId":7}')),
            set: () => Effect.void,
            remove: () => Effect.void,
            increment: () => Effect.succeed(1),
            ping: Effect.void,
          }),
        ),
      ),
    ),
  ),
)
