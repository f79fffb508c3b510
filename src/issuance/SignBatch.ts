/**
 * Build, sign, persist, send: of a batch's transaction, and of fee bumps over it.
 *
 * Invariant: `recordSigned` commits before `send` runs, and nothing is ever signed for another sequence than the one
 * that the batch is bound to.
 */
import { Clock, Effect, Metric } from "effect"
import { channelKey, distributionKey, Signer } from "../ports/Signer.ts"
import { type BatchEnvelope, Batches } from "./Batches.ts"
import type { BatchPayment } from "./BatchPayment.ts"
import { bidForOperation } from "./FeeBid.ts"
import { buildFeeBump } from "./FeeBump.ts"
import { IssuanceControl } from "./IssuanceControl.ts"
import { batchFill, bumpsTotal } from "./IssuanceMetrics.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import type { Lease } from "./Lease.ts"
import { buildPaymentTransaction } from "./PaymentTransaction.ts"
import { send } from "./SendEnvelope.ts"
import type { StepView } from "./StepView.ts"

/**
 * Seconds for which an envelope's time bound allows it, beside its ledger bound; the latter is what we prove by. Longer
 * than the usual ledger bound lasts (twelve ledgers, a minute), so that a worker whose clock is minutes slow still signs what the network takes; far
 * below the signer's own limit, since another worker's clock may differ by minutes when it signs a fee bump over it.
 */
const TIME_BOUND_SECONDS = 240

/** A signer that refuses speaks of the program: every batch would be refused, so none is tried until a person looked. */
const sign = Effect.fnUntraced(function* (unsigned: string, keys: Parameters<Signer["Service"]["sign"]>[1]) {
  const signer = yield* Signer
  const control = yield* IssuanceControl
  return yield* signer
    .sign(unsigned, keys)
    .pipe(
      Effect.tapErrorTag("SignerError", (error) =>
        error.retry === "never"
          ? Effect.andThen(
              control.pause(`the signer refused: ${error.message}`),
              Effect.logError("issuing is paused: the signer refused a transaction", error),
            )
          : Effect.void,
      ),
    )
})

/** The first rewards that one transaction may pay together; at least one. */
const fitting = (rewards: ReadonlyArray<BatchPayment>, stroopsMax: bigint): ReadonlyArray<BatchPayment> => {
  let total = 0n
  const end = rewards.findIndex(({ amountStroops }) => {
    total += amountStroops
    return total > stroopsMax
  })
  return end === -1 ? rewards : rewards.slice(0, Math.max(1, end))
}

/** Signs, stores and sends a transaction that pays these rewards at this sequence. */
export const signBatch = Effect.fn("SignBatch.signBatch")(function* (
  lease: Lease,
  view: StepView,
  sequence: bigint,
  rewards: ReadonlyArray<BatchPayment>,
) {
  const settings = yield* IssuanceSettings
  const { distributionAddress } = yield* Signer
  const batches = yield* Batches
  // What does not fit stays bound, and is released when the sequence is settled without it.
  const payments = fitting(rewards.slice(0, settings.paymentsMax), settings.transactionStroopsMax)
  const feeStroops = bidForOperation(view.charged, settings)
  const ledgerMax = view.latestLedger + 1 + settings.envelopeLedgers
  const nowSeconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const unsigned = buildPaymentTransaction({
    ...settings,
    distributionAddress,
    channelAddress: lease.address,
    sequence,
    payments,
    feeStroops: Number(feeStroops),
    ledgerMax,
    nowSeconds,
    timeMax: nowSeconds + TIME_BOUND_SECONDS,
  })
  const signed = yield* sign(unsigned, [channelKey(lease.channelId), distributionKey])
  yield* batches.recordSigned(lease, {
    ...signed,
    innerHash: null,
    sequence,
    issuanceIds: payments.map((payment) => payment.issuanceId),
    ledgerSigned: view.latestLedger,
    ledgerMax,
    feeStroopsMax: feeStroops * BigInt(payments.length),
  })
  yield* Metric.update(batchFill, payments.length)
  yield* send(lease, signed, view.latestLedger)
})

/** Signs, stores and sends a fee bump of `fee` stroops over one of the batch's transactions. */
export const signBump = Effect.fn("SignBatch.signBump")(function* (
  lease: Lease,
  view: StepView,
  sequence: bigint,
  inner: BatchEnvelope,
  feeStroops: bigint,
) {
  const batches = yield* Batches
  const { envelopeXdr, issuanceIds } = yield* batches.body(inner.hash)
  const unsigned = buildFeeBump({ innerXdr: envelopeXdr, feeAddress: lease.address, feeStroops })
  const signed = yield* sign(unsigned, [channelKey(lease.channelId)])
  yield* batches.recordSigned(lease, {
    ...signed,
    innerHash: inner.hash,
    sequence,
    issuanceIds,
    ledgerSigned: inner.ledgerSigned,
    ledgerMax: inner.ledgerMax,
    feeStroopsMax: feeStroops,
  })
  yield* Metric.update(bumpsTotal, 1)
  yield* Effect.logInfo("fee bumped").pipe(Effect.annotateLogs({ hash: signed.hash, feeStroops }))
  yield* send(lease, signed, view.latestLedger)
})
