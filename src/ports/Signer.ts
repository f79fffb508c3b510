/**
 * Port: the keys. Nothing outside a Signer's layer ever holds a secret; the programs name who must sign.
 *
 * A signer is the last one to look at a transaction: it decodes what it is given, and refuses what its rules do not
 * allow, whoever asks. What it refuses was not signed.
 */
import { Context, type Effect, Schema } from "effect"
import type { RetryVerdict } from "../kernel/Retry.ts"

/**
 * - `refused`: the transaction breaks a rule; `rule` names it;
 * - `daily_cap`: nothing is wrong with the transaction, but today's cap (UTC) has no room for its sum;
 * - `throttled`, `timed_out`, `unavailable`: the keys' keeper did not answer with a signature now;
 * - `denied`: the keys' keeper will not sign for us until somebody changes its settings or ours.
 */
export const SignerFailure = Schema.Literals([
  "unavailable",
  "throttled",
  "timed_out",
  "denied",
  "daily_cap",
  "refused",
  "unknown_channel",
])

/** A signature is harmless until it is sent, and asking twice gives the same bytes: no outcome is ever unknown. */
const RETRY: Record<typeof SignerFailure.Type, RetryVerdict> = {
  unavailable: "backoff",
  throttled: "backoff",
  timed_out: "backoff",
  denied: "never",
  daily_cap: "backoff",
  refused: "never",
  unknown_channel: "never",
}

export class SignerError extends Schema.TaggedError<SignerError>()("SignerError", {
  reason: SignerFailure,
  message: Schema.String,
  /** Of `refused`: the rule that the transaction breaks. */
  rule: Schema.optionalKey(Schema.String),
}) {
  get retry(): RetryVerdict {
    return RETRY[this.reason]
  }
}

export type SignerKey =
  | { readonly _tag: "Distribution" }
  /** A channel account, derived from one seed by index (SEP-5). */
  | { readonly _tag: "Channel"; readonly index: number }

export const distributionKey: SignerKey = { _tag: "Distribution" }
export const channelKey = (index: number): SignerKey => ({ _tag: "Channel", index })

export class Signer extends Context.Service<
  Signer,
  {
    /** The account that pays rewards, G... */
    readonly distributionAddress: string
    readonly channelAddress: (index: number) => Effect.Effect<string, SignerError>
    /**
     * Signs a TransactionEnvelope (base64 XDR) for the configured network with each key, and returns the signed
     * envelope with its transaction hash (hex).
     *
     * A fee bump is signed by its fee source; its inner transaction comes signed and leaves as it came (CAP-15). The
     * hash is the outer one's.
     */
    readonly sign: (
      envelopeXdr: string,
      keys: ReadonlyArray<SignerKey>,
    ) => Effect.Effect<{ readonly envelopeXdr: string; readonly hash: string }, SignerError>
  }
>()("nova/ports/Signer") {}
