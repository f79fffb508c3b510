/**
 * One channel's step beside those of the others: what goes wrong with it stays its own, and says no more than that it
 * is to be taken again.
 */
import { Cause, Effect } from "effect"
import type { LeaseLost } from "../issuance/Channels.ts"
import type { Lease } from "../issuance/Lease.ts"

/** What came of one channel's step. */
export type ChannelStep<A> =
  | { readonly _tag: "Taken"; readonly outcome: A }
  /** The channel is another worker's by now. */
  | { readonly _tag: "Lost" }
  | { readonly _tag: "Failed" }

const TAKEN_FROM_US: ChannelStep<never> = { _tag: "Lost" }
const FAILED: ChannelStep<never> = { _tag: "Failed" }

/** One channel's step. Its failure is its own: the other channels go on, and it is taken again. */
export const alone = <A, E, R>(lease: Lease, work: Effect.Effect<A, E | LeaseLost, R>) =>
  work.pipe(
    Effect.map((outcome): ChannelStep<A> => ({ _tag: "Taken", outcome })),
    Effect.catchTag("LeaseLost", () =>
      Effect.as(Effect.logWarning("another worker has taken the channel"), TAKEN_FROM_US),
    ),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.as(Effect.logError("a channel's step failed and will be taken again", cause), FAILED),
    ),
    Effect.annotateLogs({ channel: lease.channelId }),
  )
