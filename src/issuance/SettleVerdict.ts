/**
 * The verdict about a batch whose sequence is consumed: which of ours did it, and what its result says about each
 * reward (docs/adr/0003-at-most-once.md, rules 4 and 7).
 */
import { xdr } from "@stellar/stellar-sdk"
import { Clock, Effect, Metric, Option } from "effect"
import { type RpcTransaction, SorobanRpc } from "../ports/SorobanRpc.ts"
import { type Batch, type BatchEnvelope, Batches } from "./Batches.ts"
import { Channels, type Lease } from "./Channels.ts"
import { IssuanceControl } from "./IssuanceControl.ts"
import { confirmedTotal, countVerdict, feesStroopsTotal, settlementLagSeconds } from "./IssuanceMetrics.ts"
import { LedgerShare } from "./LedgerShare.ts"
import { countEjections, type Finding, toEjections } from "./PrepareBatch.ts"
import { readAnswer } from "./SubmissionOutcome.ts"
import { readOutcome, type TransactionOutcome } from "./TransactionOutcome.ts"
import { type ChannelView, judge } from "./Verdict.ts"

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
  yield* channels.setStatus(lease, "halted", reason, sequenceUnderstood)
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
    const before = ours?.type === "claimPredicateNot" ? ours.notPredicate : undefined
    return before?.type === "claimPredicateBeforeAbsoluteTime"
      ? new Date(Number(before.absBefore) * 1000)
      : undefined
  })
}

const confirm = Effect.fnUntraced(function* (
  lease: Lease,
  base: {
    readonly sequence: bigint
    readonly hash: string
    readonly ledger: number
    readonly resultXdr: string
  },
  outcome: Extract<TransactionOutcome, { readonly _tag: "Paid" }>,
) {
  const batches = yield* Batches
  const { envelopeXdr, issuanceIds } = yield* batches.body(base.hash)
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
    ...base,
    issuanceIds,
    balances,
    feeStroops: outcome.feeStroops,
  })
  if (lagsMs.length !== issuanceIds.length) {
    yield* Effect.logError("a transaction paid issuances that were not bound to it any more").pipe(
      Effect.annotateLogs({ hash: base.hash, paid: issuanceIds.length, confirmed: lagsMs.length }),
    )
  }
  for (const lagMs of lagsMs) yield* Metric.update(settlementLagSeconds, lagMs / 1000)
  yield* Metric.update(confirmedTotal, lagsMs.length)
  yield* countVerdict("paid")
})

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
  if (programFault === undefined && outcome.fates.some((fate) => fate._tag === "Recipient")) return
  const reason = programFault?._tag === "Program" ? `${outcome.code}: ${programFault.code}` : outcome.code
  const control = yield* IssuanceControl
  yield* control.pause(reason)
  yield* Effect.logError("issuing is paused: the ledger refused the program, not a recipient").pipe(
    Effect.annotateLogs({ reason, hash }),
  )
})

const refuse = Effect.fnUntraced(function* (
  lease: Lease,
  base: {
    readonly sequence: bigint
    readonly hash: string
    readonly ledger: number
    readonly resultXdr: string
  },
  outcome: Failed,
) {
  const batches = yield* Batches
  const { issuanceIds } = yield* batches.body(base.hash)
  const findings = new Map<string, Finding>()
  for (const [index, issuanceId] of issuanceIds.entries()) {
    const fate = outcome.fates[index]
    if (fate?._tag === "Recipient") findings.set(issuanceId, { reason: fate.reason, code: fate.code })
  }
  yield* stopFor(lease, outcome, base.hash)
  const rewards = yield* batches.bound(lease, base.sequence)
  const ejections = toEjections(rewards, findings, yield* Clock.currentTimeMillis)
  yield* batches.settleFailed(lease, {
    ...base,
    code: outcome.code,
    feeStroops: outcome.feeStroops,
    ejections,
  })
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
  const base = { sequence, hash: envelope.hash, ledger: included.ledger, resultXdr: included.resultXdr }
  const share = yield* LedgerShare
  yield* share.record(included.ledger, envelope.operations)
  yield* Metric.update(feesStroopsTotal, outcome.feeStroops)
  yield* outcome._tag === "Paid" ? confirm(lease, base, outcome) : refuse(lease, base, outcome)
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

const judgeAnswers = (view: ChannelView, batch: Batch, answers: ReadonlyArray<Answer>) =>
  judge(
    view,
    batch.envelopes,
    answers.map(({ envelope, transaction }) => ({
      hash: envelope.hash,
      found: Option.isSome(transaction.included),
      latestLedger: transaction.latestLedger,
      oldestLedger: transaction.oldestLedger,
    })),
  )

/** The sequence is consumed: finds which of ours did it, and settles by its result. */
export const settleByLookUp = Effect.fn("SettleVerdict.settleByLookUp")(function* (
  lease: Lease,
  view: ChannelView,
  batch: Batch,
) {
  const answers = yield* lookUpAll(batch)
  const judgement = judgeAnswers(view, batch, answers)
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
    return yield* halt(
      lease,
      "unknown_hand",
      `sequence ${batch.sequence} was consumed by a transaction that was not signed here`,
      view.sequence,
    )
  }
  const applied = answers.find(({ envelope }) => envelope.hash === judgement.hash)
  if (applied === undefined || Option.isNone(applied.transaction.included)) return "waiting"
  const successful = applied.transaction.status === "SUCCESS"
  const included = { ...applied.transaction.included.value, successful }
  return yield* settle(lease, batch.sequence, applied.envelope, included)
})
