/**
 * Sending what is stored. The answer is written down and may take the channel out of use or pause the program, but it
 * never moves a reward: no answer is a verdict (docs/adr/0003-at-most-once.md).
 */
import { Effect } from "effect"
import { Submission } from "../ports/Submission.ts"
import { Batches } from "./Batches.ts"
import { Channels } from "./Channels.ts"
import { IssuanceControl } from "./IssuanceControl.ts"
import { countAnswer } from "./IssuanceMetrics.ts"
import type { Lease } from "./Lease.ts"
import { noAnswer, readSubmission } from "./SubmissionOutcome.ts"
import { isProgramCode } from "./TransactionOutcome.ts"

/** Sends and answers with what the table makes of the answer. `ledger` is the newest one known. */
export const send = Effect.fn("SendEnvelope.send")(function* (
  lease: Lease,
  envelope: { readonly hash: string; readonly envelopeXdr: string },
  ledger: number,
) {
  const submission = yield* Submission
  const batches = yield* Batches
  const outcome = yield* submission.submit(envelope.envelopeXdr).pipe(
    Effect.map(readSubmission),
    // A lost answer is not a failure: the envelope may be in flight, and the verdict will tell.
    Effect.catchTag("SubmissionError", (error) => Effect.succeed(noAnswer(error.reason))),
    Effect.annotateLogs({ hash: envelope.hash }),
  )
  yield* countAnswer(outcome.text)
  yield* batches.recordSent(envelope.hash, ledger, outcome.text)
  const log = outcome.alert ? Effect.logError : Effect.logWarning
  if (outcome.text !== "PENDING" && outcome.text !== "DUPLICATE") {
    yield* log("sending was not accepted; the verdict decides").pipe(
      Effect.annotateLogs({ hash: envelope.hash, answer: outcome.text }),
    )
  }
  if (outcome.reaction === "quarantine" && lease.status === "open") {
    const channels = yield* Channels
    yield* Effect.logError("channel quarantined: the network refuses its transactions")
    yield* channels.setStatus(lease, "quarantined", outcome.text)
  }
  const programCode = [...outcome.blamed.values()].find(isProgramCode)
  if (programCode !== undefined) {
    const control = yield* IssuanceControl
    yield* control.pause(`${outcome.text}`)
    yield* Effect.logError("issuing is paused: the network refused the program, not a recipient").pipe(
      Effect.annotateLogs({ reason: programCode, hash: envelope.hash }),
    )
  }
  return outcome
})
