/**
 * Submission by Stellar RPC's sendTransaction.
 *
 * Source: https://developers.stellar.org/docs/data/apis/rpc/api-reference/methods/sendTransaction
 */
import { Effect, Layer } from "effect"
import { SorobanRpc } from "../../src/ports/SorobanRpc.ts"
import { Submission, SubmissionError } from "../../src/ports/Submission.ts"

/** The port over SorobanRpc, whose reasons for giving no answer are this port's too. */
export const layer = Layer.effect(
  Submission,
  Effect.map(SorobanRpc, (rpc) =>
    Submission.of({
      submit: Effect.fn("Submission.submit")(function* (envelopeXdr: string) {
        const { errorResultXdr, hash, status } = yield* Effect.mapError(
          rpc.sendTransaction(envelopeXdr),
          ({ message, reason }) => new SubmissionError({ reason, message }),
        )
        return { status, hash, errorResultXdr }
      }),
    }),
  ),
)
