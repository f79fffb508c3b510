/**
 * Merchants and their API keys.
 *
 * A key's owner is cached for at most `CACHE_TTL_MS`, so that a revoked key is refused everywhere within that
 * time; the cache failing costs a look-up and never a request.
 */
import { Clock, Context, Effect, Layer, Metric, Option, type Redacted, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Hex } from "effect/encoding"
import { SqlClient } from "effect/sql"
import { makeId } from "../kernel/Ids.ts"
import { Redis } from "../ports/Redis.ts"
import * as ApiKey from "./ApiKey.ts"
import type { Owner } from "./Owner.ts"

export const CACHE_TTL_MS = 1000

export interface KeySummary {
  readonly id: string
  readonly mode: ApiKey.Mode
  readonly hint: string
  readonly createdAt: Date
  readonly revokedAt: Date | null
}

const CachedOwner = Schema.fromJsonString(
  Schema.Struct({ merchantId: Schema.String, mode: Schema.Literals(["live", "test"]) }),
)
const encodeOwner = Schema.encodeSync(CachedOwner)
const decodeOwner = Schema.decodeUnknownOption(CachedOwner)

const cacheKey = (hash: Uint8Array) => `api-key:${Hex.encode(hash)}`

const cacheFailures = Metric.counter("api_gateway.key_cache_failures_total", {
  description: "Look-ups and writes of the API key cache that failed; the database answered instead",
  incremental: true,
})

export class Merchants extends Context.Service<
  Merchants,
  {
    readonly create: (merchant: { readonly name: string }) => Effect.Effect<{
      readonly id: string
      readonly name: string
    }>
    /** A new key of an existing merchant. This is the only time that anybody sees it. */
    readonly createKey: (key: {
      readonly merchantId: string
      readonly mode: ApiKey.Mode
    }) => Effect.Effect<Redacted.Redacted>
    readonly keys: (merchantId: string) => Effect.Effect<ReadonlyArray<KeySummary>>
    /** Refused from now on here, and within `CACHE_TTL_MS` everywhere. False: no such key, or revoked before. */
    readonly revokeKey: (keyId: string) => Effect.Effect<boolean>
    /** Whom the key speaks for; none for a malformed, unknown or revoked key, without telling which. */
    readonly ownerOf: (key: Redacted.Redacted) => Effect.Effect<Option.Option<Owner>>
  }
>()("nova/merchant/Merchants") {
  static readonly layer = Layer.effect(
    Merchants,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const redis = yield* Redis
      const random = yield* SecureRandom.SecureRandom

      const newId = (prefix: "mer" | "key") =>
        makeId(prefix).pipe(Effect.provideService(SecureRandom.SecureRandom, random))
      const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms))
      const countFailure = Effect.as(Metric.update(cacheFailures, 1), Option.none<never>())

      const create = Effect.fn("Merchants.create")(function* ({ name }: { readonly name: string }) {
        const id = yield* newId("mer")
        yield* sql`INSERT INTO merchants (id, name, created_at) VALUES (${id}, ${name}, ${yield* now})`
        return { id, name }
      }, Effect.orDie)

      const createKey = Effect.fn("Merchants.createKey")(function* (options: {
        readonly merchantId: string
        readonly mode: ApiKey.Mode
      }) {
        const key = yield* ApiKey.generate(options.mode).pipe(
          Effect.provideService(SecureRandom.SecureRandom, random),
        )
        yield* sql`
          INSERT INTO api_keys (id, merchant_id, mode, key_hash, hint, created_at)
          VALUES (${yield* newId("key")}, ${options.merchantId}, ${options.mode}, ${ApiKey.hashOf(key)},
            ${ApiKey.hintOf(key)}, ${yield* now})`
        return key
      }, Effect.orDie)

      const keys = Effect.fn("Merchants.keys")(
        (merchantId: string) => sql<KeySummary>`
          SELECT id, mode, hint, created_at AS "createdAt", revoked_at AS "revokedAt"
          FROM api_keys WHERE merchant_id = ${merchantId} ORDER BY id DESC`,
        Effect.orDie,
      )

      const revokeKey = Effect.fn("Merchants.revokeKey")(function* (keyId: string) {
        const revoked = yield* sql<{ key_hash: Uint8Array }>`
          UPDATE api_keys SET revoked_at = ${yield* now} WHERE id = ${keyId} AND revoked_at IS NULL
          RETURNING key_hash`
        for (const { key_hash } of revoked) {
          yield* redis.remove(cacheKey(key_hash)).pipe(Effect.catch(() => countFailure))
        }
        return revoked.length > 0
      }, Effect.orDie)

      const fromDatabase = Effect.fnUntraced(function* (hash: Uint8Array) {
        const [owner] = yield* sql<Owner>`
          SELECT merchant_id AS "merchantId", mode FROM api_keys
          WHERE key_hash = ${hash} AND revoked_at IS NULL`
        if (owner === undefined) return Option.none<Owner>()
        yield* redis
          .set(cacheKey(hash), encodeOwner(owner), CACHE_TTL_MS)
          .pipe(Effect.catch(() => countFailure))
        return Option.some(owner)
      }, Effect.orDie)

      const ownerOf = Effect.fn("Merchants.ownerOf")(function* (key: Redacted.Redacted) {
        if (ApiKey.modeOf(key) === undefined) return Option.none<Owner>()
        const hash = ApiKey.hashOf(key)
        const cached = yield* redis.get(cacheKey(hash)).pipe(Effect.catch(() => countFailure))
        const owner = Option.flatMap(cached, decodeOwner)
        return Option.isSome(owner) ? owner : yield* fromDatabase(hash)
      })

      return Merchants.of({ create, createKey, keys, revokeKey, ownerOf })
    }),
  )
}
