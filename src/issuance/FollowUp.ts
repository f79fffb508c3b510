/**
 * What is done for a batch in flight: the same bytes again after each ledger that closed without them, or a fee bump
 * of the same transaction where the answers ask for one. Never anything else (docs/adr/0003-at-most-once.md, rule 2).
 */
import { Effect } from "effect"
import { type Batch, type BatchEnvelope, Batches } from "./Batches.ts"
import { bumpFee, isSurging, type OfferedFee } from "./FeeBid.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import type { Lease } from "./Lease.ts"
import { send } from "./SendEnvelope.ts"
import { signBump } from "./SignBatch.ts"
import type { StepView } from "./StepView.ts"
import { readAnswer } from "./SubmissionOutcome.ts"
import { isProgramCode } from "./TransactionOutcome.ts"

/** Sendings of the same bytes that the queue turned away before they are bumped. */
const SENDS_BEFORE_BUMP = 2

/** Ledgers that an accepted envelope waits in a surge before it is bumped: it is sent once for each. */
const PATIENCE_LEDGERS = 3

/** As the network counts them: a fee bump has one more (CAP-15). */
const offerOf = ({ feeStroopsMax, innerHash, operations }: BatchEnvelope): OfferedFee => ({
  feeStroops: feeStroopsMax,
  operations: innerHash === null ? operations : operations + 1,
})

const refusalOf = (envelope: BatchEnvelope): ReadonlyArray<OfferedFee> => {
  const { feeStroopsRequired } = readAnswer(envelope.lastAnswer ?? "")
  return feeStroopsRequired === undefined
    ? []
    : [{ feeStroops: feeStroopsRequired, operations: offerOf(envelope).operations }]
}

const isBumpDue = (newest: BatchEnvelope, hasLedgerPassed: boolean, isSurge: boolean) => {
  switch (readAnswer(newest.lastAnswer ?? "").reaction) {
    case "bump":
      return true
    case "wait_then_bump":
      return hasLedgerPassed && newest.sends >= SENDS_BEFORE_BUMP
    case "wait":
      return hasLedgerPassed && isSurge && newest.sends >= PATIENCE_LEDGERS
    default:
      return false
  }
}

/**
 * A recipient's operation was refused before inclusion, as no ledger's state could mend it. The answer names it, and
 * must not be written over: once these bytes have expired, they are built again without it.
 */
const isRefusedForGood = ({ lastAnswer }: BatchEnvelope) =>
  [...readAnswer(lastAnswer ?? "").blamed.values()].some((code) => !isProgramCode(code))

const feeOfBump = Effect.fnUntraced(function* (
  alive: ReadonlyArray<BatchEnvelope>,
  inner: BatchEnvelope,
  view: StepView,
) {
  const settings = yield* IssuanceSettings
  const fee = bumpFee({
    innerOperations: inner.operations,
    offered: alive.map(offerOf),
    refusals: alive.flatMap(refusalOf),
    charged: view.charged,
    limits: settings,
  })
  return fee !== undefined && fee <= view.availableStroops ? fee : undefined
})

const resend = Effect.fnUntraced(function* (
  lease: Lease,
  view: StepView,
  newest: BatchEnvelope,
  inner: BatchEnvelope,
) {
  const batches = yield* Batches
  const sendOne = Effect.fnUntraced(function* ({ hash }: BatchEnvelope) {
    return yield* send(lease, { hash, ...(yield* batches.body(hash)) }, view.latestLedger)
  })
  const outcome = yield* sendOne(newest)
  // A bump that the queue will not have must not keep the transaction inside from its chance.
  if (newest.hash !== inner.hash && outcome.text !== "PENDING" && outcome.text !== "DUPLICATE") {
    yield* sendOne(inner)
  }
})

export const followUp = Effect.fn("FollowUp.followUp")(function* (
  lease: Lease,
  view: StepView,
  batch: Batch,
  aliveHashes: ReadonlyArray<string>,
) {
  const settings = yield* IssuanceSettings
  const alive = batch.envelopes.filter(({ hash }) => aliveHashes.includes(hash))
  const newest = alive.at(-1)
  const inner = alive.find(({ innerHash }) => innerHash === null)
  if (newest === undefined || inner === undefined) return
  const hasLedgerPassed = newest.ledgerSent === null || view.latestLedger > newest.ledgerSent
  if (newest.ledgerSent !== null && isBumpDue(newest, hasLedgerPassed, isSurging(view.charged, settings))) {
    const fee = yield* feeOfBump(alive, inner, view)
    if (fee !== undefined) return yield* signBump(lease, view, batch.sequence, inner, fee)
  }
  if (hasLedgerPassed && !isRefusedForGood(newest)) yield* resend(lease, view, newest, inner)
})
