/**
 * Submission by Horizon's POST /transactions_async. The synchronous POST /transactions is not used: it takes
 * TRY_AGAIN_LATER for accepted, and then answers 504 after 30 s.
 *
 * Source: https://developers.stellar.org/docs/data/apis/horizon/api-reference/submit-async-transaction
 */
import { Effect, Layer } from "effect"
import { Horizon, type HorizonError } from "../../src/ports/Horizon.ts"
import { Submission, SubmissionError, type SubmissionFailure } from "../../src/ports/Submission.ts"

/** 400 transaction_malformed, and what a server says of a body that it will not even read. */
const UNREADABLE_STATUSES: ReadonlyArray<number> = [400, 413, 415]

/**
 * Only a refusal of the bytes is the caller's mistake. The other refusals are the rail's and say nothing of the
 * transaction: 403 of a Horizon that takes no submissions, 404 of a gateway, 503 stale_history of one whose core is
 * out of sync, 500 of one that core told a status which Horizon does not know, such as FILTERED
 * (services/horizon/internal/actions/submit_transaction_async.go).
 */
const reasonOf = ({ reason, status }: HorizonError): typeof SubmissionFailure.Type => {
  if (reason !== "bad_request" && reason !== "not_found") return reason
  return status !== undefined && UNREADABLE_STATUSES.includes(status) ? "invalid_request" : "server_error"
}

/** The port over Horizon. */
export const layer = Layer.effect(
  Submission,
  Effect.map(Horizon, (horizon) =>
    Submission.of({
      submit: Effect.fn("Submission.submit")(function* (envelopeXdr: string) {
        return yield* Effect.mapError(
          horizon.submitAsync(envelopeXdr),
          (error) => new SubmissionError({ reason: reasonOf(error), message: error.message }),
        )
      }),
    }),
  ),
)
