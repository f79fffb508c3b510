/**
 * Waiting for the end of issuances. However many wait, one statement in each interval asks for all of them; while
 * nobody waits, none is asked. A waiter that is interrupted is forgotten.
 *
 * Invariant: nobody is left waiting by a stop of the program: when it drains, all waits end, and their requests are
 * answered with how far it is.
 */
import { Context, Deferred, Effect, FiberSet, Layer, Metric } from "effect"
import { SqlClient } from "effect/sql"
import { Draining } from "../health/Draining.ts"
import type { IssuanceStatus } from "./Issuance.ts"

const waitingNow = Metric.gauge("issuance.waited_for", {
  description: "Rewards whose end some request of this process waits for",
})

/** Milliseconds between two looks at the database. */
export const POLL_INTERVAL_MS = 250

/** Beyond these an issuance does not get by itself, or at least not soon. */
const RESTS: ReadonlyArray<IssuanceStatus> = ["confirmed", "failed", "held", "cancelled"]

export const isAtRest = (status: IssuanceStatus): boolean => RESTS.includes(status)

export class IssuanceWaits extends Context.Service<
  IssuanceWaits,
  {
    /** Returns when the issuance has come to its end or is held, or when the program stops. */
    readonly rest: (issuanceId: string) => Effect.Effect<void>
    /** How many issuances are waited for. */
    readonly size: Effect.Effect<number>
  }
>()("nova/issuance/IssuanceWaits") {
  static readonly layer = Layer.effect(
    IssuanceWaits,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { isDraining } = yield* Draining
      const fork = yield* FiberSet.makeRuntime()
      const waiting = new Map<string, Set<Deferred.Deferred<void>>>()
      let polling = false

      const count = Effect.suspend(() => Metric.update(waitingNow, waiting.size))

      const release = (ids: Iterable<string>) => {
        for (const id of ids) {
          for (const waiter of waiting.get(id) ?? []) Deferred.doneUnsafe(waiter, Effect.void)
          waiting.delete(id)
        }
        return count
      }

      const look = Effect.gen(function* () {
        const ids = [...waiting.keys()]
        if (yield* isDraining) return yield* release(ids)
        const rows = yield* sql<{ id: string }>`
          SELECT id FROM reward_issuances WHERE id = ANY(${ids}::text[]) AND status = ANY(${RESTS}::text[])`
        yield* release(rows.map((row) => row.id))
      }).pipe(
        // Whoever waits has a time of its own, and asks the database again at its end.
        Effect.catchCause((cause) => Effect.logWarning("Waiting rewards could not be looked at", cause)),
        Effect.withSpan("IssuanceWaits.look"),
      )

      const poll = Effect.gen(function* () {
        while (waiting.size > 0) {
          yield* Effect.sleep(POLL_INTERVAL_MS)
          if (waiting.size > 0) yield* look
        }
        polling = false
      })

      const enter = (id: string): Deferred.Deferred<void> => {
        const waiter = Deferred.makeUnsafe<void>()
        const waiters = waiting.get(id) ?? new Set()
        waiting.set(id, waiters.add(waiter))
        if (!polling) {
          polling = true
          fork(poll)
        }
        return waiter
      }

      const leave = (id: string, waiter: Deferred.Deferred<void>) => {
        const waiters = waiting.get(id)
        waiters?.delete(waiter)
        if (waiters?.size === 0) waiting.delete(id)
      }

      const rest = Effect.fn("IssuanceWaits.rest")((id: string) =>
        Effect.acquireUseRelease(
          Effect.tap(
            Effect.sync(() => enter(id)),
            count,
          ),
          Deferred.await,
          (waiter) =>
            Effect.andThen(
              Effect.sync(() => leave(id, waiter)),
              count,
            ),
        ),
      )

      return IssuanceWaits.of({ rest, size: Effect.sync(() => waiting.size) })
    }),
  )
}
