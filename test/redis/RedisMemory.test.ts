import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import * as RedisMemory from "../../layers/redis/RedisMemory.ts"
import { Redis } from "../../src/ports/Redis.ts"
import { effect } from "../support/it.ts"

const withRedis = <A, E>(body: (redis: Redis["Service"]) => Effect.Effect<A, E>, entriesMax = 3) =>
  Effect.flatMap(Redis, body).pipe(Effect.provide(RedisMemory.layerBounded(entriesMax)))

effect("keeps a value until its time is over", () =>
  withRedis((redis) =>
    Effect.gen(function* () {
      yield* redis.set("a", "1", 1000)
      yield* TestClock.adjust(999)
      expect(yield* redis.get("a")).toEqual(Option.some("1"))
      yield* TestClock.adjust(1)
      expect(yield* redis.get("a")).toEqual(Option.none())
      yield* redis.set("a", "2", 1000)
      yield* redis.remove("a")
      expect(yield* redis.get("a")).toEqual(Option.none())
      yield* redis.ping
    }),
  ),
)

effect("counts from the first increment's time, as INCR with PEXPIRE NX does", () =>
  withRedis((redis) =>
    Effect.gen(function* () {
      expect(yield* redis.increment("n", 1000)).toBe(1)
      yield* TestClock.adjust(900)
      expect(yield* redis.increment("n", 1000)).toBe(2)
      yield* TestClock.adjust(100)
      expect(yield* redis.increment("n", 1000)).toBe(1)
    }),
  ),
)

effect("is bounded: expired entries go first, then the oldest", () =>
  withRedis((redis) =>
    Effect.gen(function* () {
      yield* redis.set("a", "1", 10_000)
      yield* redis.set("b", "1", 10)
      yield* redis.set("c", "1", 10_000)
      yield* TestClock.adjust(10)
      yield* redis.set("d", "1", 10_000)
      expect(yield* redis.get("a")).toEqual(Option.some("1"))
      yield* redis.set("a", "2", 10_000)
      yield* redis.set("e", "1", 10_000)
      const left = yield* Effect.forEach(["a", "b", "c", "d", "e"], redis.get)
      expect(left.map(Option.isSome)).toEqual([true, false, false, true, true])
    }),
  ),
)
