/**
 * One channel's way forward: claim, prepare, sign, persist, send, and in the end the verdict.
 *
 * There is one path. A first build, a crash between claim and signature, and a rebuild after proven expiry are the
 * same situation (a batch is bound to the sequence and nothing is alive there), so each is taken up by the same
 * step, whoever takes it up.
 *
 * Invariant: what is signed is stored before it is sent, and nothing is ever built at another sequence than the one
 * that the batch is bound to. An answer to a sending moves no reward (docs/adr/0003-at-most-once.md).
 */
import { Effect } from "effect"
import { type Batch, Batches } from "./Batches.ts"
import { Channels } from "./Channels.ts"
import { bidForOperation, operationsForBatch } from "./FeeBid.ts"
import { followUp } from "./FollowUp.ts"
import { countVerdict } from "./IssuanceMetrics.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import type { Lease } from "./Lease.ts"
import { prepareBatch } from "./PrepareBatch.ts"
import { settleByLookUp, settleLost } from "./SettleVerdict.ts"
import { signBatch } from "./SignBatch.ts"
import type { StepView } from "./StepView.ts"
import { decide } from "./Verdict.ts"

/** A halted channel's batch is looked up again in one ledger of so many. */
const RECHECK_LEDGERS = 12

/** How often a batch that lost rewards before it was signed is filled up again. */
const FILLINGS = 3

/** `unfit`: this channel may bind nothing now, whatever waits; others may. `nothing`: it could, and nothing could be bound. */
export type Submitted = "bound" | "nothing" | "unfit"

/**
 * Binds what waits to the next sequence of a channel to which nothing is bound, fills up what had to be taken out, and
 * sends the rest.
 */
export const submitNext = Effect.fn("SubmitBatch.submitNext")(function* (lease: Lease, view: StepView) {
  if (view.sequence === undefined || lease.status !== "open" || lease.isSpare) {
    return "unfit" as Submitted
  }
  const settings = yield* IssuanceSettings
  const batches = yield* Batches
  const paymentsMax = operationsForBatch(view.charged, settings, settings.paymentsMax)
  const fee = bidForOperation(view.charged, settings) * BigInt(paymentsMax)
  // A channel that cannot pay its fee waits for its top-up; the others go on.
  if (view.availableStroops < fee) return "unfit"
  const sequence = view.sequence + 1n
  const terms = {
    sequence,
    paymentsMax,
    treasuryStroops: view.treasuryStroops,
    treasuryLedger: view.latestLedger,
    inFlightMax: view.operationsMax,
  }
  let hasBound = false
  let prepared = { rewards: [] as Effect.Success<ReturnType<typeof prepareBatch>>["rewards"], hasRoom: true }
  for (let filling = 0; filling < FILLINGS && prepared.hasRoom; filling++) {
    const claimed = yield* batches.claim(lease, terms)
    if (claimed === "unfit" && !hasBound) return "unfit"
    if (claimed === "unfit" || claimed === 0) break
    hasBound = true
    prepared = yield* prepareBatch(lease, view, sequence, undefined)
  }
  if (prepared.rewards.length > 0) yield* signBatch(lease, view, sequence, prepared.rewards)
  return hasBound ? "bound" : "nothing"
})

/** Something is bound and nothing is alive there: sign for what can still be paid of it. */
const build = Effect.fn("SubmitBatch.build")(function* (
  lease: Lease,
  view: StepView,
  batch: Batch,
  isPaused: boolean,
) {
  const batches = yield* Batches
  if (lease.status !== "open") {
    const released = yield* batches.releaseExpired(lease, batch.sequence)
    return yield* Effect.logInfo(`${released} rewards of a channel out of use go to others`)
  }
  if (isPaused) return
  const { rewards } = yield* prepareBatch(lease, view, batch.sequence, batch)
  if (rewards.length > 0) yield* signBatch(lease, view, batch.sequence, rewards)
})

/**
 * A halted channel's batch is looked up again now and then: the node that did not find it, or could not be read, may
 * since have been mended or replaced. What the ledger then shows settles it, and the channel is in use again.
 */
const recheckHalted = Effect.fn("SubmitBatch.recheckHalted")(function* (
  lease: Lease,
  view: StepView,
  batch: Batch,
) {
  const channels = yield* Channels
  const isDue = view.latestLedger % RECHECK_LEDGERS === lease.channelId % RECHECK_LEDGERS
  if (!isDue || decide(view, batch.sequence, batch.envelopes)._tag !== "LookUp") return
  if ((yield* settleByLookUp(lease, view, batch)) !== "free") return
  // Its settlement may have found another reason to keep it out of use.
  if (!(yield* channels.setStatus(lease, "open", null, { from: "halted" }))) return
  yield* Effect.logInfo("a halted channel is in use again: the ledger showed what became of its batch")
})

/**
 * Takes one channel one step further, by its account in `view` and by the batch that is bound to it. Never fails on what the
 * network says; fails with LeaseLost when another worker has taken the channel, with a port's error when it gave
 * no answer (the next step starts from the database again).
 */
export const advanceChannel = Effect.fn("SubmitBatch.advanceChannel")(
  function* (lease: Lease, view: StepView, batch: Batch, isPaused: boolean) {
    if (lease.status === "halted") return yield* recheckHalted(lease, view, batch)
    const batches = yield* Batches
    const decision = decide(view, batch.sequence, batch.envelopes)
    switch (decision._tag) {
      case "Wait":
        return yield* followUp(lease, view, batch, decision.alive)
      case "LookUp": {
        if ((yield* settleByLookUp(lease, view, batch)) === "free") yield* submitNext(lease, view)
        return
      }
      case "Rebuild": {
        yield* countVerdict("expired")
        yield* batches.recordExpired(lease, decision.expired)
        const expired = batch.envelopes.map((envelope) => ({ ...envelope, expired: true }))
        return yield* build(lease, view, { ...batch, envelopes: expired }, isPaused)
      }
      case "Build":
        return yield* build(lease, view, batch, isPaused)
      case "Lost":
        return yield* settleLost(lease, view.latestLedger, batch)
    }
  },
  (effect, lease) => Effect.annotateLogs(effect, { channel: lease.channelId }),
)
