/**
 * The switch that pauses issuing for all workers: thrown by a worker when the ledger refuses the program itself, or
 * when the database turns out to be older than the ledger; put back by a person (`nova resume`). While it is thrown
 * nothing is claimed or built; what is in flight is still brought to its verdict.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"

export class IssuanceControl extends Context.Service<
  IssuanceControl,
  {
    /** Answers with the reason that holds: that of an earlier pause, where there was one. */
    readonly pause: (reason: string) => Effect.Effect<string>
    /** Why issuing is paused; undefined where it is not. */
    readonly reason: Effect.Effect<string | undefined>
    /** Answers with the reason of the pause that it ended, or undefined. */
    readonly resume: Effect.Effect<string | undefined>
  }
>()("nova/issuance/IssuanceControl") {
  static readonly layer = Layer.effect(
    IssuanceControl,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const pause = Effect.fn("IssuanceControl.pause")(function* (reason: string) {
        const now = new Date(yield* Clock.currentTimeMillis)
        const [row] = yield* sql<{ paused_reason: string }>`
          UPDATE issuance_control SET paused_at = coalesce(paused_at, ${now}),
            paused_reason = coalesce(paused_reason, ${reason})
          WHERE id = 1 RETURNING paused_reason`
        return row?.paused_reason ?? reason
      }, Effect.orDie)

      const reason = sql<{ paused_reason: string | null }>`SELECT paused_reason FROM issuance_control`.pipe(
        Effect.map(([row]) => row?.paused_reason ?? undefined),
        Effect.orDie,
        Effect.withSpan("IssuanceControl.reason"),
      )

      const resume = sql<{ paused_reason: string }>`
        WITH before AS (SELECT paused_reason FROM issuance_control WHERE paused_at IS NOT NULL FOR UPDATE)
        UPDATE issuance_control c SET paused_at = NULL, paused_reason = NULL FROM before
        RETURNING before.paused_reason`.pipe(
        Effect.map(([row]) => row?.paused_reason),
        Effect.orDie,
        Effect.withSpan("IssuanceControl.resume"),
      )

      return IssuanceControl.of({ pause, reason, resume })
    }),
  )
}
