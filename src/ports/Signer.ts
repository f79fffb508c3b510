/**
 * Port: the keys. Nothing outside a Signer's layer ever holds a secret; the programs name who must sign.
 */
import { Context, type Effect, Schema } from "effect"
import type { RetryVerdict } from "../kernel/Retry.ts"

export const SignerFailure = Schema.Literals(["unavailable", "refused", "unknown_channel"])

const RETRY: Record<typeof SignerFailure.Type, RetryVerdict> = {
  unavailable: "backoff",
  refused: "never",
  unknown_channel: "never",
}

export class SignerError extends Schema.TaggedError<SignerError>()("SignerError", {
  reason: SignerFailure,
  message: Schema.String,
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
     */
    readonly sign: (
      envelopeXdr: string,
      keys: ReadonlyArray<SignerKey>,
    ) => Effect.Effect<{ readonly envelopeXdr: string; readonly hash: string }, SignerError>
  }
>()("nova/ports/Signer") {}
