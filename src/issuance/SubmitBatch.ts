/**
 * One channel's way forward: claim, build, sign, persist, send, and in the end the verdict.
 *
 * There is one path. A first build, a crash between claim and signature, and a rebuild after proven expiry are the
 * same situation (a batch is bound to the sequence and nothing is alive there), so each is taken up by the same
 * step, whoever takes it up.
 *
 * Invariant: `persist` commits before `send` runs, and nothing is ever built at another sequence than the one that
 * the batch is bound to. An answer to a sending changes no state (docs/adr/0003-at-most-once.md).
 */
import { Clock, Effect, Metric, Option } from "effect"
import { channelKey, distributionKey, Signer } from "../ports/Signer.ts"
import { type RpcTransaction, SorobanRpc } from "../ports/SorobanRpc.ts"
import { type Batch, Batches, type StoredEnvelope } from "./Batches.ts"
import type { BatchPayment } from "./BatchPayment.ts"
import { Channels, type Lease } from "./Channels.ts"
import { IssuanceControl } from "./IssuanceControl.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { buildPaymentTransaction, PAYMENTS_MAX } from "./PaymentTransaction.ts"
import { describeSubmission, readOutcome } from "./TransactionOutcome.ts"
import { type ChannelView, decide, judge } from "./Verdict.ts"

/** Seconds for which an envelope's time bound allows it, beside its ledger bound; the latter is what we prove by. */
const TIME_BOUND_SECONDS = 60

/** A halted channel's batch is looked up in one ledger of so many. */
const RECHECK_LEDGERS = 12

const confirmedTotal = Metric.counter("issuance.confirmed_total", {
  description: "Issuances confirmed by the ledger",
  incremental: true,
})
const failedTotal = Metric.counter("issuance.failed_total", {
  description: "Issuances that ended without a payment",
  incremental: true,
})
const verdictsTotal = Metric.counter("issuance.verdicts_total", {
  description: "Verdicts about submitted batches, by outcome",
  incremental: true,
})

const countVerdict = (outcome: string) => Metric.update(Metric.withAttributes(verdictsTotal, { outcome }), 1)

const send = Effect.fn("SubmitBatch.send")(function* (hash: string, envelopeXdr: string, view: ChannelView) {
  const rpc = yield* SorobanRpc
  const batches = yield* Batches
  const answer = yield* rpc.sendTransaction(envelopeXdr).pipe(
    Effect.map(describeSubmission),
    // A lost answer is not a failure: the envelope may be in flight, and the verdict will tell.
    Effect.catchTag("SorobanRpcError", (error) => Effect.succeed(`no answer: ${error.reason}`)),
  )
  if (!/^(PENDING|DUPLICATE)$/.test(answer)) {
    yield* Effect.logWarning("sending was not accepted; the verdict decides").pipe(
      Effect.annotateLogs({ hash, answer }),
    )
  }
  yield* batches.recordSent(hash, view.latestLedger, answer)
})

/** Builds, signs, persists and sends an envelope for what is bound to the channel's sequence. */
const submit = Effect.fn("SubmitBatch.submit")(function* (
  lease: Lease,
  view: ChannelView,
  sequence: bigint,
  bound: ReadonlyArray<BatchPayment>,
) {
  const settings = yield* IssuanceSettings
  // What does not fit stays bound, and is released when the sequence is settled without it.
  const payments = bound.slice(0, PAYMENTS_MAX)
  const signer = yield* Signer
  const batches = yield* Batches
  const ledgerMax = view.latestLedger + 1 + settings.envelopeLedgers
  const nowMs = yield* Clock.currentTimeMillis
  const unsigned = buildPaymentTransaction({
    networkPassphrase: settings.networkPassphrase,
    assetCode: settings.assetCode,
    assetIssuer: settings.assetIssuer,
    distributionAddress: signer.distributionAddress,
    channelAddress: lease.address,
    sequence,
    payments,
    baseFeeStroops: settings.baseFeeStroops,
    ledgerMax,
    timeMax: Math.floor(nowMs / 1000) + TIME_BOUND_SECONDS,
  })
  const signed = yield* signer.sign(unsigned, [channelKey(lease.channelId), distributionKey])
  yield* batches.recordSigned(lease, {
    hash: signed.hash,
    sequence,
    envelopeXdr: signed.envelopeXdr,
    issuanceIds: payments.map((payment) => payment.issuanceId),
    ledgerSigned: view.latestLedger,
    ledgerMax,
    feeStroopsMax: BigInt(settings.baseFeeStroops) * BigInt(payments.length),
  })
  yield* send(signed.hash, signed.envelopeXdr, view)
})

/** Claims what waits for the channel's next sequence and sends it. */
const submitNext = Effect.fn("SubmitBatch.submitNext")(function* (lease: Lease, view: ChannelView) {
  if (view.sequence === undefined) return
  const batches = yield* Batches
  const sequence = view.sequence + 1n
  const payments = yield* batches.claim(lease, sequence)
  if (payments.length > 0) yield* submit(lease, view, sequence, payments)
})

/** What became of the channel: free for its next sequence, still waiting for a verdict, or halted. */
type Settled = "free" | "waiting" | "halted"

const settle = Effect.fn("SubmitBatch.settle")(function* (
  lease: Lease,
  sequence: bigint,
  envelope: StoredEnvelope,
  included: { readonly ledger: number; readonly resultXdr: string; readonly successful: boolean },
) {
  const batches = yield* Batches
  const channels = yield* Channels
  const base = { sequence, hash: envelope.hash, ledger: included.ledger, resultXdr: included.resultXdr }
  const outcome = readOutcome(included.resultXdr, envelope.issuanceIds.length, included.successful)
  if (outcome._tag === "Unreadable") {
    if (lease.halted) return "halted" as Settled
    yield* countVerdict("unreadable")
    yield* Effect.logError(
      "channel halted: the result of its transaction cannot be read, so nothing is released",
    ).pipe(Effect.annotateLogs({ hash: envelope.hash, code: outcome.code, result: included.resultXdr }))
    yield* channels.halt(lease, `the result of ${envelope.hash} cannot be read (${outcome.code})`)
    return "halted"
  }
  if (outcome._tag === "Paid") {
    const confirmed = yield* batches.settlePaid(lease, { ...base, issuanceIds: envelope.issuanceIds })
    if (confirmed !== envelope.issuanceIds.length) {
      yield* Effect.logError("a transaction paid issuances that were not bound to it any more").pipe(
        Effect.annotateLogs({ hash: envelope.hash, paid: envelope.issuanceIds.length, confirmed }),
      )
    }
    yield* Metric.update(confirmedTotal, confirmed)
    yield* countVerdict("paid")
    return "free"
  }
  const failed = envelope.issuanceIds.flatMap((issuanceId, index) => {
    const fate = outcome.fates[index]
    return fate?._tag === "Recipient" ? [{ issuanceId, reason: fate.reason, code: fate.code }] : []
  })
  // A failure that names nobody would only fail again: it is the program's, like one that names the program.
  const programFault = outcome.fates.find((fate) => fate._tag === "Program")
  if (programFault?._tag === "Program" || failed.length === 0) {
    const reason = programFault?._tag === "Program" ? `${outcome.code}: ${programFault.code}` : outcome.code
    const control = yield* IssuanceControl
    yield* control.pause(reason)
    yield* Effect.logError("issuing is paused: the ledger refused the program, not a recipient").pipe(
      Effect.annotateLogs({ reason, hash: envelope.hash }),
    )
  }
  yield* batches.settleFailed(lease, { ...base, code: outcome.code, failed })
  yield* Metric.update(failedTotal, failed.length)
  yield* countVerdict("failed")
  return "free"
})

/** The sequence is consumed: finds which of ours did it, and settles by its result. */
const settleByLookUp = Effect.fn("SubmitBatch.settleByLookUp")(function* (
  lease: Lease,
  view: ChannelView,
  batch: Batch,
) {
  const rpc = yield* SorobanRpc
  const channels = yield* Channels
  // Newest first, and no further than the one that is found: the older ones had expired.
  const answers: Array<{ readonly envelope: StoredEnvelope; readonly transaction: RpcTransaction }> = []
  for (const envelope of batch.envelopes.toReversed()) {
    const transaction = yield* rpc.getTransaction(envelope.hash)
    answers.push({ envelope, transaction })
    if (Option.isSome(transaction.included)) break
  }
  const judgement = judge(
    view,
    batch.envelopes,
    answers.map(({ envelope, transaction }) => ({
      hash: envelope.hash,
      found: Option.isSome(transaction.included),
      latestLedger: transaction.latestLedger,
      oldestLedger: transaction.oldestLedger,
    })),
  )
  if (judgement._tag === "Undecided") {
    yield* countVerdict(judgement.reason)
    if (judgement.reason === "history_incomplete") {
      yield* Effect.logError(
        "no verdict: the node no longer holds the ledgers in which the batch could have applied",
      )
    }
    return "waiting" as Settled
  }
  if (judgement._tag === "UnknownHand") {
    if (lease.halted) return "halted"
    yield* countVerdict("unknown_hand")
    yield* Effect.logError(
      "channel halted: its sequence was consumed by a transaction that was not signed here",
    )
    yield* channels.halt(lease, `sequence ${batch.sequence} was consumed by an unknown transaction`)
    return "halted"
  }
  let outcome: Settled = "waiting"
  for (const { envelope, transaction } of answers) {
    if (envelope.hash === judgement.hash && Option.isSome(transaction.included)) {
      const successful = transaction.status === "SUCCESS"
      outcome = yield* settle(lease, batch.sequence, envelope, { ...transaction.included.value, successful })
    }
  }
  return outcome
})

const resend = Effect.fn("SubmitBatch.resend")(function* (
  view: ChannelView,
  batch: Batch,
  alive: ReadonlyArray<string>,
) {
  for (const envelope of batch.envelopes) {
    const due = envelope.ledgerSent === null || view.latestLedger > envelope.ledgerSent
    if (due && alive.includes(envelope.hash)) yield* send(envelope.hash, envelope.envelopeXdr, view)
  }
})

/**
 * A halted channel's batch is looked up again now and then: the node that did not find it, or could not be read, may
 * since have been mended or replaced. What the ledger then shows settles it, and the channel is in use again.
 */
const recheckHalted = Effect.fn("SubmitBatch.recheckHalted")(function* (
  lease: Lease,
  view: ChannelView,
  batch: Batch,
) {
  const channels = yield* Channels
  const isDue = view.latestLedger % RECHECK_LEDGERS === lease.channelId % RECHECK_LEDGERS
  if (!isDue || decide(view, batch.sequence, batch.envelopes)._tag !== "LookUp") return
  if ((yield* settleByLookUp(lease, view, batch)) !== "free") return
  yield* channels.reopen(lease)
  yield* Effect.logInfo("a halted channel is in use again: the ledger showed what became of its batch")
})

/**
 * Takes one channel one step further, by its account in `view` and by what is bound to it. Never fails on what the
 * network says; fails with LeaseLost when another worker has taken the channel, with a port's error when it gave
 * no answer (the next step starts from the database again).
 */
export const advanceChannel = Effect.fn("SubmitBatch.advanceChannel")(
  function* (lease: Lease, view: ChannelView, batch: Batch | undefined, paused: boolean) {
    if (lease.halted) return batch === undefined ? undefined : yield* recheckHalted(lease, view, batch)
    if (batch === undefined) return yield* submitNext(lease, view)
    const batches = yield* Batches
    const decision = decide(view, batch.sequence, batch.envelopes)
    switch (decision._tag) {
      case "Wait":
        return yield* resend(view, batch, decision.alive)
      case "LookUp": {
        const settled = yield* settleByLookUp(lease, view, batch)
        return settled === "free" ? yield* submitNext(lease, view) : undefined
      }
      case "Rebuild":
        yield* countVerdict("expired")
        yield* batches.recordExpired(lease, decision.expired)
        return paused ? undefined : yield* submit(lease, view, batch.sequence, batch.payments)
      case "Build":
        return paused ? undefined : yield* submit(lease, view, batch.sequence, batch.payments)
    }
  },
  (effect, lease) => Effect.annotateLogs(effect, { channel: lease.channelId }),
)
