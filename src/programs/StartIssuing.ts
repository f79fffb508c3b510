/**
 * The start of the issuance worker: what must be so before it pays anybody, and how long it waits for it.
 *
 * Invariant: a start ends by a refusal, or by silence that lasts; never by one failure of the network, the database or
 * the signer. Each part may be done again, whatever became of it: what it sends it has stored before.
 */
import { Cause, Effect, Metric, Ref, Schedule } from "effect"
import { ensureChannels } from "../issuance/ChannelCreation.ts"
import { Channels } from "../issuance/Channels.ts"
import { IssuanceControl } from "../issuance/IssuanceControl.ts"
import { isPausedGauge } from "../issuance/IssuanceMetrics.ts"
import { IssuanceRefused } from "../issuance/IssuanceRefused.ts"
import { IssuanceSettings } from "../issuance/IssuanceSettings.ts"
import { verifyNetwork } from "../issuance/NetworkIdentity.ts"
import { isDatabaseAway } from "../kernel/DatabaseAway.ts"
import { SignerError } from "../ports/Signer.ts"

/** A minute: whoever watches over the worker should hear of what lasts longer. */
const patiently = Schedule.max([Schedule.spaced("1 second"), Schedule.during("1 minute")])

/** Who gives no answer now, and may soon. */
const whoIsAway = (error: { readonly _tag: string }): "network" | "signer" | "database" | undefined => {
  if (error._tag === "SorobanRpcError") return "network"
  if (error instanceof SignerError && error.retry === "backoff") return "signer"
  return isDatabaseAway(error) ? "database" : undefined
}

/** The first of what broke a part, where nothing but the database did. */
const awayDefect = (cause: Cause.Cause<unknown>) => {
  const defects = cause.reasons.map((reason) => (Cause.isDieReason(reason) ? reason.defect : undefined))
  return defects.every(isDatabaseAway) ? defects[0] : undefined
}

type AwayDefect = Exclude<ReturnType<typeof awayDefect>, undefined>

/**
 * The network that is not up yet, and whatever goes away under a start, is waited for; a refusal is final. Each part of
 * a start may be done again.
 */
const untilUp = <A, E extends { readonly _tag: string }, R>(part: Effect.Effect<A, E, R>) =>
  part.pipe(
    Effect.catchCause((cause): Effect.Effect<never, E | AwayDefect> => {
      const away = awayDefect(cause)
      return away === undefined ? Effect.failCause(cause) : Effect.fail(away)
    }),
    Effect.tapError((error) => {
      const away = whoIsAway(error)
      return away === undefined ? Effect.void : Effect.logWarning(`the ${away} gives no answer yet`, error)
    }),
    Effect.retry({ schedule: patiently, while: (error) => whoIsAway(error) !== undefined }),
  )

/** Makes sure that issuing may start here. */
const prepare = Effect.andThen(verifyNetwork(), ensureChannels())

/** How often a worker looks whether the database has been recovered, in ms. */
const RECOVERY_CHECK_MS = 5_000

export const isOlderDatabase = (error: { readonly _tag: string }) =>
  error instanceof IssuanceRefused && error.code === "database_older_than_ledger"

/**
 * A database that is older than the ledger needs a person, and that person needs the database and the network up: so
 * the worker stays, pays nothing, holds no channel, and says what to do.
 */
const waitForRecovery = Effect.fnUntraced(function* (refused: IssuanceRefused, ready: Ref.Ref<boolean>) {
  if (!isOlderDatabase(refused) || (yield* Ref.get(ready))) return
  const control = yield* IssuanceControl
  yield* control.pause(`the ledger is ahead of this database: ${refused.message}`)
  yield* Metric.update(isPausedGauge, 1)
  yield* Effect.logError(
    `issuing waits: ${refused.message} Run nova recover, as docs/runbooks/restored-database.md says.`,
  ).pipe(Effect.annotateLogs({ code: refused.code }))
  yield* Ref.set(ready, true)
})

/** Waits until issuing may start, and for a recovery where there must be one first. */
export const startIssuing = Effect.fnUntraced(function* (owner: string, ready: Ref.Ref<boolean>) {
  const channels = yield* Channels
  const { workerName } = yield* IssuanceSettings
  yield* untilUp(prepare).pipe(
    Effect.tapErrorTag("IssuanceRefused", (refused) => untilUp(waitForRecovery(refused, ready))),
    Effect.retry({ schedule: Schedule.spaced(RECOVERY_CHECK_MS), while: isOlderDatabase }),
  )
  // An earlier run of this worker is gone, or lives on as a ghost that every fence refuses from here on.
  if (workerName !== undefined) yield* untilUp(channels.takeOver(workerName))
  yield* Ref.set(ready, true)
  yield* Effect.logInfo("issuing").pipe(Effect.annotateLogs({ owner }))
})
