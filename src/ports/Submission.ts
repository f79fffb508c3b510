/**
 * Port: where signed envelopes are handed in. Two rails lead to the same queue of a node, Stellar RPC and Horizon;
 * STELLAR_SUBMIT_VIA chooses, and both keep the one promise below.
 *
 * Invariant: no answer is a verdict (docs/adr/0003-at-most-once.md). A status tells what one node's queue said about
 * these bytes; an error tells that nothing is known, unless the request itself was refused as unreadable. Whoever took
 * an error for "it did not happen" and signed anew at another sequence would pay twice.
 */
import { Context, type Effect, type Option, Schema } from "effect"
import type { RetryVerdict } from "../kernel/Retry.ts"

export const SubmissionFailure = Schema.Literals([
  "unreachable",
  "timeout",
  "rate_limited",
  /** The rail answered, but not for the queue: its own fault, a core out of sync, or a status unknown to it. */
  "server_error",
  /** The bytes are no transaction envelope: no node can ever have taken them. */
  "invalid_request",
  "undecodable_answer",
])

export class SubmissionError extends Schema.TaggedError<SubmissionError>()("SubmissionError", {
  reason: SubmissionFailure,
  message: Schema.String,
}) {
  /** Even a refusal for too many requests may follow a retry on the way that was let through. */
  get retry(): RetryVerdict {
    return this.reason === "invalid_request" ? "never" : "unknown_outcome"
  }
}

/** What the queue said of the envelope; the four words are stellar-core's, and the same on both rails. */
export interface Submitted {
  readonly status: "PENDING" | "DUPLICATE" | "TRY_AGAIN_LATER" | "ERROR"
  /** Of the transaction, hex; of a fee bump the outer one. */
  readonly hash: string
  /** TransactionResult, base64 XDR; present with ERROR. */
  readonly errorResultXdr: Option.Option<string>
}

export class Submission extends Context.Service<
  Submission,
  {
    /** Hands in a signed TransactionEnvelope (base64 XDR) and answers at once; never waits for a ledger. */
    readonly submit: (envelopeXdr: string) => Effect.Effect<Submitted, SubmissionError>
  }
>()("nova/ports/Submission") {}
