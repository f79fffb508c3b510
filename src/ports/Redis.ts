/**
 * Port: short-lived shared data (key cache now; limits and sessions later). Losing it loses nothing but speed:
 * PostgreSQL holds every truth.
 */
import { Context, type Effect, type Option, Schema } from "effect"
import type { RetryVerdict } from "../kernel/Retry.ts"

export const RedisFailure = Schema.Literals(["unreachable", "timeout", "rejected"])

const RETRY: Record<typeof RedisFailure.Type, RetryVerdict> = {
  unreachable: "backoff",
  timeout: "backoff",
  rejected: "never",
}

export class RedisError extends Schema.TaggedError<RedisError>()("RedisError", {
  reason: RedisFailure,
  message: Schema.String,
}) {
  get retry(): RetryVerdict {
    return RETRY[this.reason]
  }
}

export class Redis extends Context.Service<
  Redis,
  {
    /** "memory" or "redis", for health answers. */
    readonly kind: string
    readonly get: (key: string) => Effect.Effect<Option.Option<string>, RedisError>
    /** Expires after `ttlMs` milliseconds. */
    readonly set: (key: string, value: string, ttlMs: number) => Effect.Effect<void, RedisError>
    readonly remove: (key: string) => Effect.Effect<void, RedisError>
    /** Adds one and returns the count; the key expires `ttlMs` after its first increment. */
    readonly increment: (key: string, ttlMs: number) => Effect.Effect<number, RedisError>
    readonly ping: Effect.Effect<void, RedisError>
  }
>()("nova/ports/Redis") {}
