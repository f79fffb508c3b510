/**
 * What runs beside the worker's steps and pays nobody: held rewards are looked at again, channels are completed and
 * topped up, unclaimed balances are taken back, and the gauges about all that are brought up to date.
 *
 * Any number of workers may run it at once: rows are taken by one of them, and upkeep transactions go one at a time
 * over all of them (src/issuance/UpkeepTransactions.ts). Each job's failure is its own.
 */
import { Cause, Effect, Metric } from "effect"
import { completeChannels } from "../issuance/ChannelCreation.ts"
import { measureBalances, reclaimBalances } from "../issuance/ClaimableBalances.ts"
import { freeHeldRewards, measureHeld } from "../issuance/HeldRewards.ts"
import { IssuanceControl } from "../issuance/IssuanceControl.ts"
import type { IssuanceRefused } from "../issuance/IssuanceRefused.ts"
import { freeReviewedRewards } from "../issuance/ReviewedRewards.ts"
import { LastSaid, makeLastSaid } from "../issuance/SayNowAndThen.ts"
import { advanceUpkeep } from "../issuance/UpkeepSteps.ts"
import { topUpChannels } from "../issuance/UpkeepTopUps.ts"
import { openUpkeep } from "../issuance/UpkeepTransactions.ts"

/** Between two rounds, in ms; an open transaction's end is looked for sooner. */
const ROUND_MS = 5_000
const OPEN_ROUND_MS = 1_000

/** Longest pause after rounds that failed, in ms. */
const FAILURE_PAUSE_MS_MAX = 60_000

const failedRounds = Metric.gauge("issuance.upkeep_failed", {
  description: "Rounds of upkeep that have failed in a row; 0 while it works",
})

/** A job's own word whether all went well; false, and a line in the log, where it failed. */
const guarded = <E, R>(name: string, job: Effect.Effect<boolean, E, R>): Effect.Effect<boolean, never, R> =>
  job.pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.as(Effect.logError("a part of the upkeep failed and will be tried again", cause), false),
    ),
    Effect.annotateLogs({ job: name }),
    Effect.withSpan(`IssuanceUpkeep.${name}`),
  )

const attempt = <E, R>(name: string, job: Effect.Effect<unknown, E, R>) => guarded(name, Effect.as(job, true))

const isAnyOpen = Effect.map(openUpkeep, (open) => open !== undefined)

/** A channel that was made after this database was written is no row, so that the worker's steps cannot miss it. */
const pauseIfOlder = Effect.fnUntraced(function* ({ code, message }: IssuanceRefused) {
  if (code !== "database_older_than_ledger") return
  const control = yield* IssuanceControl
  yield* control.pause(`the ledger is ahead of this database: ${message}`)
})

/** The jobs that send transactions, in the order of their need; one that sends ends the round for the others. */
const sendWhatIsDue = Effect.gen(function* () {
  if (!(yield* attempt("advance", advanceUpkeep()))) return false
  if (yield* isAnyOpen) return true
  const failed: Array<string> = []
  const jobs = [
    ["channels", completeChannels().pipe(Effect.tapErrorTag("IssuanceRefused", pauseIfOlder))],
    ["top_ups", topUpChannels()],
    ["reclaim", reclaimBalances()],
  ] as const
  for (const [name, job] of jobs) {
    if (!(yield* attempt(name, job))) failed.push(name)
    if (yield* isAnyOpen) break
  }
  return failed.length === 0
})

/** One round of everything; true when all of it went well. What failed is in the log. */
export const upkeepOnce = Effect.gen(function* () {
  const went = [
    yield* attempt("held_rewards", freeHeldRewards()),
    yield* attempt("reviewed_rewards", freeReviewedRewards()),
    yield* sendWhatIsDue,
    yield* attempt("measures", Effect.andThen(measureHeld, measureBalances)),
  ]
  return went.every(Boolean)
})

/** Rounds for ever, with growing pauses while they fail; runs until it is interrupted, and never fails. */
export const issuanceUpkeep = Effect.gen(function* () {
  let failures = 0
  const lastSaid = yield* makeLastSaid
  while (true) {
    const wentWell = yield* guarded("round", upkeepOnce).pipe(Effect.provideService(LastSaid, lastSaid))
    failures = wentWell ? 0 : failures + 1
    yield* Metric.update(failedRounds, failures)
    const grownMs = Math.min(ROUND_MS * 2 ** Math.min(failures, 10), FAILURE_PAUSE_MS_MAX)
    const isOpen = wentWell && (yield* guarded("open", isAnyOpen))
    yield* Effect.sleep(isOpen ? OPEN_ROUND_MS : failures === 0 ? ROUND_MS : grownMs)
  }
})
