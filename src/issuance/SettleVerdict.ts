/**
 * The verdict about a batch whose sequence is consumed: which of ours did it, and what its result says about each
 * reward (docs/adr/0003-at-most-once.md, rules 4 and 7).
 */
import { xdr } from "@stellar/stellar-sdk"
import { Clock, Effect, Metric, Option } from "effect"
import { type RpcTransaction, SorobanRpc } from "../ports/SorobanRpc.ts"
import { type Batch, type BatchEnvelope, Batches } from "./Batches.ts"
import { Channels } from "./Channels.ts"
import { IssuanceControl } from "./IssuanceControl.ts"
import { confirmedTotal, countVerdict, feesStroopsTotal, settlementLagSeconds } from "./IssuanceMetrics.ts"
import type { Lease } from "./Lease.ts"
import { LedgerShare } from "./LedgerShare.ts"
import { verifyNetwork } from "./NetworkIdentity.ts"
import { reclaimTimeOf } from "./PaymentTransaction.ts"
import { countEjections, findingsOf, toEjections } from "./PrepareBatch.ts"
import type { IncludedBatch } from "./SettleBatch.ts"
import { readAnswer } from "./SubmissionOutcome.ts"
import { readOutcome, type TransactionOutcome } from "./TransactionOutcome.ts"
import { type ChannelView, decide, judge, judgeLost, type LookUp } from "./Verdict.ts"

/** What became of the channel: free for its next sequence, still waiting for a verdict, or halted. */
export type Settled = "free" | "waiting" | "halted"

interface Included {
  readonly ledger: number
  readonly resultXdr: string
  readonly successful: boolean
}

type Failed = Extract<TransactionOutcome, { readonly _tag: "Failed" }>

const halt = Effect.fnUntraced(function* (
  lease: Lease,
  verdict: string,
  reason: string,
  sequenceUnderstood?: bigint,
) {
  if (lease.status === "halted") return "halted" as Settled
  const channels = yield* Channels
  yield* countVerdict(verdict)
  yield* Effect.logError("channel halted: what happened on the ledger is not understood").pipe(
    Effect.annotateLogs({ reason }),
  )
  yield* channels.setStatus(lease, "halted", reason, { sequenceUnderstood })
  return "halted" as Settled
})

/** From when each claimable balance may be taken back: the second claimant's predicate, as it was signed. */
const reclaimTimes = (envelopeXdr: string): ReadonlyArray<Date | undefined> => {
  const envelope = xdr.TransactionEnvelope.fromXDR(envelopeXdr, "base64")
  const v1 = envelope.type === "envelopeTypeTxFeeBump" ? envelope.feeBump.tx.innerTx.value : undefined
  const transaction = envelope.type === "envelopeTypeTx" ? envelope.v1.tx : v1?.tx
  return (transaction?.operations ?? []).map(({ body }) => {
    if (body.type !== "createClaimableBalance") return undefined
    const ours = body.createClaimableBalanceOp.claimants.at(1)?.v0.predicate
    return ours === undefined ? undefined : reclaimTimeOf(ours)
  })
}

const confirm = Effect.fnUntraced(function* (
  lease: Lease,
  included: IncludedBatch,
  outcome: Extract<TransactionOutcome, { readonly _tag: "Paid" }>,
) {
  const batches = yield* Batches
  const { envelopeXdr, issuanceIds } = yield* batches.body(included.hash)
  const hasBalances = outcome.balanceIds.some((id) => id !== undefined)
  const times = hasBalances ? reclaimTimes(envelopeXdr) : []
  const balances = issuanceIds.flatMap((issuanceId, index) => {
    const balanceId = outcome.balanceIds[index]
    const reclaimAfter = times[index]
    return balanceId === undefined || reclaimAfter === undefined
      ? []
      : [{ issuanceId, balanceId, reclaimAfter }]
  })
  const lagsMs = yield* batches.settlePaid(lease, {
    ...included,
    issuanceIds,
    balances,
  })
  if (lagsMs.length !== issuanceIds.length) {
    yield* Effect.logError("a transaction paid issuances that were not bound to it any more").pipe(
      Effect.annotateLogs({ hash: included.hash, paid: issuanceIds.length, confirmed: lagsMs.length }),
    )
  }
  for (const lagMs of lagsMs) yield* Metric.update(settlementLagSeconds, lagMs / 1000)
  yield* Metric.update(confirmedTotal, lagsMs.length)
  yield* countVerdict("paid")
})

const warnOfReserve = ({ fates }: Failed, hash: string) => {
  const count = fates.filter(({ _tag }) => _tag === "Reserve").length
  return count === 0
    ? Effect.void
    : Effect.logError(
        `${count} claimable balances wait for XLM: the distribution account could not reserve them, since it was spent otherwise`,
      ).pipe(Effect.annotateLogs({ hash }))
}

/**
 * A failure that names the program, or nobody, would only come again: everything stops until a person has looked. One
 * that names the channel's account stops that channel.
 */
const stopFor = Effect.fnUntraced(function* (lease: Lease, outcome: Failed, hash: string) {
  if (readAnswer(`ERROR ${outcome.code}`).reaction === "quarantine") {
    const channels = yield* Channels
    yield* Effect.logError("channel quarantined: the ledger refuses its transactions").pipe(
      Effect.annotateLogs({ reason: outcome.code, hash }),
    )
    return yield* channels.setStatus(lease, "quarantined", outcome.code)
  }
  const programFault = outcome.fates.find((fate) => fate._tag === "Program")
  const isExplained = outcome.fates.some(({ _tag }) => _tag === "Recipient" || _tag === "Reserve")
  if (programFault === undefined && isExplained) return yield* warnOfReserve(outcome, hash)
  const reason = programFault?._tag === "Program" ? `${outcome.code}: ${programFault.code}` : outcome.code
  const control = yield* IssuanceControl
  yield* control.pause(reason)
  yield* Effect.logError("issuing is paused: the ledger refused the program, not a recipient").pipe(
    Effect.annotateLogs({ reason, hash }),
  )
})

const refuse = Effect.fnUntraced(function* (lease: Lease, included: IncludedBatch, outcome: Failed) {
  const batches = yield* Batches
  const { issuanceIds } = yield* batches.body(included.hash)
  const findings = findingsOf(issuanceIds, outcome.fates)
  yield* stopFor(lease, outcome, included.hash)
  const rewards = yield* batches.bound(lease, included.sequence)
  const ejections = toEjections(rewards, findings, yield* Clock.currentTimeMillis)
  yield* batches.settleFailed(lease, { ...included, code: outcome.code, ejections })
  yield* countEjections(ejections)
  yield* countVerdict("failed")
})

const settle = Effect.fn("SettleVerdict.settle")(function* (
  lease: Lease,
  sequence: bigint,
  envelope: BatchEnvelope,
  included: Included,
) {
  const outcome = readOutcome(included.resultXdr, envelope.operations, included.successful)
  if (outcome._tag === "Unreadable") {
    return yield* halt(lease, "unreadable", `the result of ${envelope.hash} cannot be read (${outcome.code})`)
  }
  const { ledger, resultXdr } = included
  const batch = { sequence, hash: envelope.hash, ledger, resultXdr, feeStroops: outcome.feeStroops }
  const share = yield* LedgerShare
  yield* share.record(ledger, envelope.operations)
  yield* Metric.update(feesStroopsTotal, outcome.feeStroops)
  yield* outcome._tag === "Paid" ? confirm(lease, batch, outcome) : refuse(lease, batch, outcome)
  return "free" as Settled
})

interface Answer {
  readonly envelope: BatchEnvelope
  readonly transaction: RpcTransaction
}

/** Newest first, and no further than the one that is found: at most one of them was applied. */
const lookUpAll = Effect.fnUntraced(function* (batch: Batch) {
  const rpc = yield* SorobanRpc
  const answers: Array<Answer> = []
  for (const envelope of batch.envelopes.toReversed()) {
    const transaction = yield* rpc.getTransaction(envelope.hash)
    answers.push({ envelope, transaction })
    if (Option.isSome(transaction.included)) break
  }
  return answers
})

const toLookUps = (answers: ReadonlyArray<Answer>): ReadonlyArray<LookUp> =>
  answers.map(({ envelope, transaction }) => ({
    hash: envelope.hash,
    found: Option.isSome(transaction.included),
    latestLedger: transaction.latestLedger,
    oldestLedger: transaction.oldestLedger,
  }))

const wait = Effect.fnUntraced(function* (reason: "node_lags" | "history_incomplete") {
  yield* countVerdict(reason)
  if (reason === "history_incomplete") {
    yield* Effect.logError(
      "no verdict: the node no longer holds the ledgers in which the batch could have applied",
    )
  }
  return "waiting" as Settled
})

const settleBy = Effect.fnUntraced(function* (
  lease: Lease,
  sequence: bigint,
  answers: ReadonlyArray<Answer>,
  hash: string,
) {
  const applied = answers.find(({ envelope }) => envelope.hash === hash)
  if (applied === undefined || Option.isNone(applied.transaction.included)) return "waiting" as Settled
  const successful = applied.transaction.status === "SUCCESS"
  const included = { ...applied.transaction.included.value, successful }
  return yield* settle(lease, sequence, applied.envelope, included)
})

/** The sequence is consumed: finds which of ours did it, and settles by its result. */
export const settleByLookUp = Effect.fn("SettleVerdict.settleByLookUp")(function* (
  lease: Lease,
  view: ChannelView,
  batch: Batch,
) {
  const answers = yield* lookUpAll(batch)
  const judgement = judge(view, batch.envelopes, toLookUps(answers))
  if (judgement._tag === "Undecided") return yield* wait(judgement.reason)
  if (judgement._tag === "UnknownHand") {
    return yield* halt(
      lease,
      "unknown_hand",
      `sequence ${batch.sequence} was consumed by a transaction that was not signed here`,
      view.sequence,
    )
  }
  return yield* settleBy(lease, batch.sequence, answers, judgement.hash)
})

/** The account was there when an envelope was signed; an answer of an earlier ledger may be of a node that lags. */
const quarantineLost = Effect.fnUntraced(function* (lease: Lease, latestLedger: number, batch: Batch) {
  if (lease.status !== "open" || !batch.envelopes.some((one) => latestLedger >= one.ledgerSigned)) return
  const channels = yield* Channels
  const reason = "its account is not on the ledger"
  if (yield* channels.setStatus(lease, "quarantined", reason, { from: "open" })) {
    yield* Effect.logError("channel quarantined: its account is not on the ledger")
  }
})

/**
 * The channel's account is gone, as an answer of `latestLedger` shows: once none of ours can apply any more, the batch is
 * settled by the one that was applied, or released where none ever was. "waiting" until that is proven. What is halted
 * stays as it is.
 */
export const settleLost = Effect.fn("SettleVerdict.settleLost")(function* (
  lease: Lease,
  latestLedger: number,
  batch: Batch,
) {
  const view: ChannelView = { latestLedger, sequence: undefined, sequenceLedger: undefined }
  const isLost = decide(view, batch.sequence, batch.envelopes)._tag === "Lost"
  if (lease.status === "halted" || !isLost) return "waiting" as Settled
  // After a reset of the network every account is gone, and none of this is proof.
  yield* verifyNetwork()
  yield* quarantineLost(lease, latestLedger, batch)
  const answers = yield* lookUpAll(batch)
  const judgement = judgeLost(batch.envelopes, toLookUps(answers))
  if (judgement._tag === "Undecided") return yield* wait(judgement.reason)
  if (judgement._tag === "Settle") return yield* settleBy(lease, batch.sequence, answers, judgement.hash)
  const batches = yield* Batches
  const alive = batch.envelopes.filter(({ expired }) => !expired).map(({ hash }) => hash)
  yield* countVerdict("expired")
  yield* batches.recordExpired(lease, alive)
  const released = yield* batches.releaseExpired(lease, batch.sequence)
  yield* Effect.logInfo(`${released} rewards of a channel that is not on the ledger go to others`)
  return "free"
})
