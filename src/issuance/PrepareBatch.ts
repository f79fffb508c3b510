/**
 * What is bound to a sequence, rid of the rewards that the ledger would refuse: they leave for their own reason before
 * anything that pays them is signed, and cost the others nothing.
 */
import { Clock, Effect, Metric } from "effect"
import { type Batch, Batches } from "./Batches.ts"
import type { BoundReward } from "./BatchPayment.ts"
import type { Ejection } from "./EjectRewards.ts"
import type { IssuanceReason } from "./Issuance.ts"
import { countHeld, failedTotal } from "./IssuanceMetrics.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import type { Lease } from "./Lease.ts"
import { Preflight } from "./Preflight.ts"
import { type Disposition, dispositionOf, FIRST_CHECK_MS } from "./RecipientPolicy.ts"
import type { StepView } from "./StepView.ts"
import { readAnswer } from "./SubmissionOutcome.ts"
import { isProgramCode, type PaymentFate } from "./TransactionOutcome.ts"

/** Why a reward cannot be paid now. */
export interface Finding {
  readonly reason: IssuanceReason
  /** The ledger's own word, where it has spoken. */
  readonly code: string | null
  /** Where the campaign's policy has no say. */
  readonly disposition?: Disposition
}

/** What an operation's failure says about its reward; undefined where it is not about that one. */
const findingOf = (fate: PaymentFate | undefined): Finding | undefined => {
  if (fate?._tag === "Recipient") return { reason: fate.reason, code: fate.code }
  // Left as a balance again it would meet the same lack; the look at held rewards knows when there is XLM.
  if (fate?._tag === "Reserve") return { reason: "no_trustline", code: fate.code, disposition: "hold" }
  return undefined
}

/** What an included transaction's fates say about the rewards that its operations pay, by issuance. */
export const findingsOf = (
  issuanceIds: ReadonlyArray<string>,
  fates: ReadonlyArray<PaymentFate>,
): ReadonlyMap<string, Finding> =>
  new Map(
    issuanceIds.flatMap((id, index) => {
      const finding = findingOf(fates[index])
      return finding === undefined ? [] : [[id, finding] as const]
    }),
  )

/**
 * Operations that the network has refused in an envelope of this batch which has expired since. Those that it refused
 * for the program's sake blame nobody.
 */
const refusedBefore = Effect.fnUntraced(function* (batch: Batch | undefined) {
  const batches = yield* Batches
  const findings = new Map<string, Finding>()
  for (const { expired, hash, lastAnswer } of batch?.envelopes ?? []) {
    const { blamed } = readAnswer(lastAnswer ?? "")
    if (!expired || blamed.size === 0) continue
    const { issuanceIds } = yield* batches.body(hash)
    for (const [index, code] of blamed) {
      const id = issuanceIds[index]
      if (id === undefined || isProgramCode(code)) continue
      findings.set(id, { reason: "rejected_by_network", code })
    }
  }
  return findings
})

const findAll = Effect.fnUntraced(function* (
  lease: Lease,
  view: StepView,
  sequence: bigint,
  rewards: ReadonlyArray<BoundReward>,
  batch: Batch | undefined,
) {
  const batches = yield* Batches
  const preflight = yield* Preflight
  const findings = yield* refusedBefore(batch)
  const { transactionStroopsMax } = yield* IssuanceSettings
  for (const { amountStroops, issuanceId } of rewards) {
    if (amountStroops > transactionStroopsMax)
      findings.set(issuanceId, { reason: "above_signing_cap", code: null })
  }
  // A claimable balance needs nothing of its recipient.
  const payments = rewards.filter(({ payout }) => payout === "payment")
  const { refused, unseen } = yield* preflight.check(payments, view.latestLedger)
  for (const [id, reason] of refused) findings.set(id, { reason, code: null })
  // Last, because it outranks the others: what may have been paid already must not end or be paid.
  for (const id of yield* batches.lookAlikes(lease, sequence)) {
    findings.set(id, { reason: "under_review", code: null })
  }
  return { findings, isSeen: unseen.size === 0 }
})

const TO: Record<Disposition, { readonly to: Ejection["to"]; readonly isChecked: boolean }> = {
  fail: { to: "failed", isChecked: false },
  hold: { to: "held", isChecked: true },
  hold_for_person: { to: "held", isChecked: false },
  claimable_balance: { to: "claimable_balance", isChecked: false },
}

/** What the campaign's policy makes of each finding. */
export const toEjections = (
  rewards: ReadonlyArray<BoundReward>,
  findings: ReadonlyMap<string, Finding>,
  nowMs: number,
): ReadonlyArray<Ejection> =>
  rewards.flatMap(({ issuanceId, policy, walletAddress }) => {
    const finding = findings.get(issuanceId)
    if (finding === undefined) return []
    const { code, reason } = finding
    const { isChecked, to } = TO[finding.disposition ?? dispositionOf(reason, policy, walletAddress)]
    return [{ issuanceId, reason, code, to, checkAt: isChecked ? new Date(nowMs + FIRST_CHECK_MS) : null }]
  })

export const countEjections = Effect.fnUntraced(function* (ejections: ReadonlyArray<Ejection>) {
  yield* Metric.update(failedTotal, ejections.filter(({ to }) => to === "failed").length)
  for (const { reason, to } of ejections) if (to === "held") yield* countHeld(reason, 1)
})

/**
 * Takes out what cannot be paid; answers with what is left to sign for, in order, and whether anything left. Nothing is
 * left to sign for while a node lags that was asked about a recipient: the batch stays bound and is taken up again.
 * Only while nothing is alive at the sequence.
 */
export const prepareBatch = Effect.fn("PrepareBatch.prepareBatch")(function* (
  lease: Lease,
  view: StepView,
  sequence: bigint,
  batch: Batch | undefined,
) {
  const batches = yield* Batches
  const rewards = yield* batches.bound(lease, sequence)
  const nowMs = yield* Clock.currentTimeMillis
  const { findings, isSeen } = yield* findAll(lease, view, sequence, rewards, batch)
  if (!isSeen) {
    yield* Effect.logInfo("the node that was asked about recipients lags: the batch waits for another answer")
    return { rewards: [], hasRoom: false }
  }
  const ejections = toEjections(rewards, findings, nowMs)
  if (ejections.length > 0) {
    yield* batches.eject(lease, sequence, ejections)
    yield* countEjections(ejections)
  }
  const rest = ejections.length > 0 ? yield* batches.bound(lease, sequence) : rewards
  const checkAt = new Date(nowMs + FIRST_CHECK_MS)
  const held = rest.some(({ payout }) => payout === "claimable_balance")
    ? yield* batches.holdBeyondReserve(lease, sequence, { ...view, checkAt })
    : 0
  if (held === 0) return { rewards: rest, hasRoom: ejections.length > 0 }
  yield* countHeld("no_trustline", held)
  return { rewards: yield* batches.bound(lease, sequence), hasRoom: true }
})
