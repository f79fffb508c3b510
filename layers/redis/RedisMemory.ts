/**
 * Layer of the Redis port inside the process: for one replica, and for tests. Bounded, so that it cannot eat the
 * memory; when full, what was written longest ago goes first.
 */
import { Clock, Effect, Layer, Option } from "effect"
import { Redis } from "../../src/ports/Redis.ts"

interface Entry {
  readonly value: string
  readonly expiresAtMs: number
}

const ENTRIES_MAX = 10_000

/** At most `entriesMax` keys; time comes from the Clock. */
export const layerBounded = (entriesMax: number): Layer.Layer<Redis> =>
  Layer.sync(Redis, () => {
    const entries = new Map<string, Entry>()

    const live = (key: string, nowMs: number): Entry | undefined => {
      const entry = entries.get(key)
      if (entry === undefined || entry.expiresAtMs > nowMs) return entry
      entries.delete(key)
      return undefined
    }

    const dropExpired = (nowMs: number) => {
      for (const [key, entry] of entries) if (entry.expiresAtMs <= nowMs) entries.delete(key)
    }

    // A Map keeps the order of insertion, so its first key is the one written longest ago.
    const write = (key: string, entry: Entry, nowMs: number) => {
      entries.delete(key)
      if (entries.size >= entriesMax) dropExpired(nowMs)
      for (const oldest of entries.keys()) {
        if (entries.size < entriesMax) break
        entries.delete(oldest)
      }
      entries.set(key, entry)
    }

    return Redis.of({
      kind: "memory",
      get: (key) =>
        Effect.map(Clock.currentTimeMillis, (nowMs) => Option.fromUndefinedOr(live(key, nowMs)?.value)),
      set: (key, value, ttlMs) =>
        Effect.map(Clock.currentTimeMillis, (nowMs) =>
          write(key, { value, expiresAtMs: nowMs + ttlMs }, nowMs),
        ),
      remove: (key) => Effect.sync(() => void entries.delete(key)),
      increment: (key, ttlMs) =>
        Effect.map(Clock.currentTimeMillis, (nowMs) => {
          const before = live(key, nowMs)
          const count = Number(before?.value ?? "0") + 1
          write(key, { value: String(count), expiresAtMs: before?.expiresAtMs ?? nowMs + ttlMs }, nowMs)
          return count
        }),
      ping: Effect.void,
    })
  })

export const layer: Layer.Layer<Redis> = layerBounded(ENTRIES_MAX)
