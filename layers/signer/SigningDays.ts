/**
 * The daily cap: what was signed away on each day (UTC), in the table `signing_days`, whose check constraint keeps it.
 *
 * Invariant: a sum is committed before the signature that it stands for is made, in a transaction of its own, also
 * where the caller is inside one that may roll back later. Counting too much is possible (an envelope that is never
 * sent, a rebuild at the same sequence), counting too little is not.
 */
import { Clock, Context, Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { SignerError } from "../../src/ports/Signer.ts"

const CAP_CONSTRAINT = "signing_days_cap_kept"

export interface DailyCap {
  /**
   * Adds to today's sum. The answer takes it back: for a signature that was certainly not made.
   *
   * @error SignerError `daily_cap` when there is no room, `unavailable` when the database gives no answer
   */
  readonly count: (assetStroops: bigint) => Effect.Effect<Effect.Effect<void>, SignerError>
}

/** For a signer without a database: only the caps of one transaction hold. */
export const noDailyCap: DailyCap = { count: () => Effect.succeed(Effect.void) }

const breaksCap = ({ reason }: SqlError.SqlError): boolean =>
  reason._tag === "ConstraintError" &&
  typeof reason.cause === "object" &&
  reason.cause !== null &&
  "constraint" in reason.cause &&
  reason.cause.constraint === CAP_CONSTRAINT

/** The cap in the database, with `capStroops` for today's row: a running day takes the newest setting. */
export const makeDailyCap = (capStroops: bigint) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient

    /** Not part of a transaction that the caller may have open. */
    const alone = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.updateContext(effect, (context: Context.Context<never>) =>
        Context.omit(sql.transactionService)(context),
      )

    const count = Effect.fn("SigningDays.count")(function* (assetStroops: bigint) {
      const day = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 10)
      yield* sql`
        INSERT INTO signing_days (day, signed_stroops, cap_stroops)
        VALUES (${day}::date, ${assetStroops}, ${capStroops})
        ON CONFLICT (day) DO UPDATE SET signed_stroops = signing_days.signed_stroops + EXCLUDED.signed_stroops,
          cap_stroops = EXCLUDED.cap_stroops`.pipe(
        alone,
        Effect.mapError((error) =>
          breaksCap(error)
            ? new SignerError({
                reason: "daily_cap",
                message: `Nothing more is signed on ${day} (UTC): ${assetStroops} stroops do not fit under NOVA_SIGNER_DAILY_CAP`,
              })
            : new SignerError({
                reason: "unavailable",
                message: "The daily cap could not be counted: PostgreSQL gave no answer",
              }),
        ),
      )
      const giveBack = sql`
        UPDATE signing_days SET signed_stroops = signed_stroops - ${assetStroops} WHERE day = ${day}::date`.pipe(
        alone,
        // What stays counted only makes the day smaller.
        Effect.ignore,
      )
      return giveBack
    })

    return { count } satisfies DailyCap
  })
