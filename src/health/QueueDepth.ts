/**
 * How much waits to be paid, as gauges that are read from the database whenever metrics are asked for. NaN says
 * that the database did not answer: an old number would look like a quiet queue.
 */
import { Clock, Context, Effect, Layer, Metric, Option } from "effect"
import { SqlClient } from "effect/sql"
import { answerOf, outcomeWithin } from "./Impatience.ts"

const ANSWER_WITHIN_MS = 2000

const pending = Metric.gauge("issuance.queue_depth", {
  description: "Accepted rewards that no worker has taken up yet",
})
const submitted = Metric.gauge("issuance.submitted", {
  description: "Rewards bound to a transaction whose verdict is not known yet",
})
const oldestPending = Metric.gauge("issuance.oldest_pending_seconds", {
  description: "Age of the oldest reward that no worker has taken up yet, in seconds; 0 with an empty queue",
})
const databaseUp = Metric.gauge("database.up", {
  description: "1 when the database answers, 0 when it does not",
})

interface Depths {
  readonly pending: bigint
  readonly submitted: bigint
  readonly oldest: Date | null
}

export class QueueDepth extends Context.Service<QueueDepth, { readonly refresh: Effect.Effect<void> }>()(
  "nova/health/QueueDepth",
) {
  static readonly layer = Layer.effect(
    QueueDepth,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      // Each count reads a partial index that holds only the rows counted.
      const read = sql<Depths>`
        SELECT (SELECT count(*) FROM reward_issuances WHERE status = 'pending') AS pending,
          (SELECT count(*) FROM reward_issuances WHERE status = 'submitted') AS submitted,
          (SELECT created_at FROM reward_issuances WHERE status = 'pending' ORDER BY id LIMIT 1) AS oldest`
      const publish = (depths: Depths | undefined, nowMs: number) => {
        const ageMs = depths?.oldest ? nowMs - depths.oldest.getTime() : 0
        return Effect.all([
          Metric.update(databaseUp, depths === undefined ? 0 : 1),
          Metric.update(pending, depths === undefined ? Number.NaN : Number(depths.pending)),
          Metric.update(submitted, depths === undefined ? Number.NaN : Number(depths.submitted)),
          Metric.update(oldestPending, depths === undefined ? Number.NaN : ageMs / 1000),
        ])
      }
      const refresh = Effect.gen(function* () {
        const rows = answerOf(yield* outcomeWithin(read, ANSWER_WITHIN_MS))
        yield* publish(Option.getOrUndefined(rows)?.[0], yield* Clock.currentTimeMillis)
      }).pipe(Effect.withSpan("QueueDepth.refresh"))
      return QueueDepth.of({ refresh })
    }),
  )
}
