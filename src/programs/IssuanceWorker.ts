/**
 * The issuance worker: verifies that it may issue here, makes sure of its channels, then takes every channel it
 * holds one step further, again and again.
 *
 * A step starts from the database and the ledger alone, so a crash at any point loses nothing: the next worker
 * takes up what is bound. Failures of a step are logged and met with a growing pause, never with a decision.
 */
import { Clock, Effect, Metric, Ref, Schedule } from "effect"
import { SecureRandom } from "effect/crypto"
import { Batches } from "../issuance/Batches.ts"
import { ensureChannels } from "../issuance/ChannelCreation.ts"
import { Channels, type Lease } from "../issuance/Channels.ts"
import { IssuanceSettings } from "../issuance/IssuanceSettings.ts"
import { readAccounts } from "../issuance/LedgerAccounts.ts"
import { rememberLedger, verifyNetwork } from "../issuance/NetworkIdentity.ts"
import { advanceChannel } from "../issuance/SubmitBatch.ts"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import { WorkerReady } from "./WorkerHealth.ts"

/** Channels that one worker advances at the same time; each uses a database connection. */
const CONCURRENT_CHANNELS = 8

/** Longest pause after steps that failed, in ms. */
const FAILURE_PAUSE_MS_MAX = 5_000

/** How often the newest known ledger is written down, in ms. */
const REMEMBER_EVERY_MS = 60_000

const channelsInFlight = Metric.gauge("issuance.channels_in_flight", {
  description: "Channels with a batch that has no verdict yet",
})

/** Advances every leased channel once, from what database and ledger say now. */
export const step = Effect.fn("IssuanceWorker.step")(function* (leases: ReadonlyArray<Lease>) {
  const batches = yield* Batches
  const work = yield* batches.work
  const inFlight = yield* batches.inFlight(leases.map((lease) => lease.channelId))
  yield* Metric.update(channelsInFlight, inFlight.size)
  if (inFlight.size === 0 && (!work.pending || work.paused)) return
  const view = yield* readAccounts(leases.map((lease) => lease.address))
  yield* Effect.forEach(
    leases,
    (lease) =>
      advanceChannel(
        lease,
        { latestLedger: view.latestLedger, sequence: view.accounts.get(lease.address)?.sequence },
        inFlight.get(lease.channelId),
        work.paused,
      ).pipe(
        Effect.catchTag("LeaseLost", (lost) =>
          Effect.logWarning("another worker has taken the channel").pipe(
            Effect.annotateLogs({ channel: lost.channelId }),
          ),
        ),
      ),
    { concurrency: CONCURRENT_CHANNELS, discard: true },
  )
})

const remember = Effect.gen(function* () {
  const rpc = yield* SorobanRpc
  yield* rememberLedger(yield* rpc.getLatestLedger)
}).pipe(Effect.catchCause((cause) => Effect.logWarning("the newest ledger was not written down", cause)))

/** Steps for ever: at the poll interval while all goes well, with growing pauses while it does not. */
const loop = Effect.fnUntraced(function* (owner: string) {
  const settings = yield* IssuanceSettings
  const channels = yield* Channels
  let leases: ReadonlyArray<Lease> = []
  let leasedAtMs = 0
  let rememberedAtMs = yield* Clock.currentTimeMillis
  let failures = 0
  while (true) {
    const nowMs = yield* Clock.currentTimeMillis
    const exit = yield* Effect.gen(function* () {
      if (leases.length === 0 || nowMs - leasedAtMs >= settings.leaseMs / 3) {
        leases = yield* channels.lease(owner, settings.leaseMs)
        leasedAtMs = nowMs
      }
      yield* step(leases)
    }).pipe(Effect.sandbox, Effect.result)
    if (exit._tag === "Failure") {
      failures++
      leasedAtMs = 0
      yield* Effect.logWarning("a step failed and will be taken again", exit.failure)
    } else {
      failures = 0
    }
    if (nowMs - rememberedAtMs >= REMEMBER_EVERY_MS) {
      rememberedAtMs = nowMs
      yield* remember
    }
    const pauseMs = Math.min(settings.pollIntervalMs * 2 ** Math.min(failures, 10), FAILURE_PAUSE_MS_MAX)
    yield* Effect.sleep(failures === 0 ? settings.pollIntervalMs : pauseMs)
  }
})

/** Ports that are not up yet are waited for; a refusal is final. */
const patiently = Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(60)])

/**
 * Runs until it is interrupted; gives its channels back when it is.
 *
 * @error IssuanceRefused when issuing must not start here
 */
export const issuanceWorker = Effect.gen(function* () {
  const random = yield* SecureRandom.SecureRandom
  const channels = yield* Channels
  const owner = `worker-${yield* random.ulid}`
  yield* Effect.andThen(verifyNetwork(), ensureChannels()).pipe(
    Effect.tapErrorTag("SorobanRpcError", (error) =>
      Effect.logWarning("the network gives no answer yet", error),
    ),
    Effect.retry({ schedule: patiently, while: (error) => error._tag === "SorobanRpcError" }),
  )
  const ready = yield* WorkerReady
  yield* Ref.set(ready, true)
  yield* Effect.logInfo("issuing").pipe(Effect.annotateLogs({ owner }))
  yield* loop(owner).pipe(
    Effect.ensuring(Effect.andThen(Ref.set(ready, false), Effect.ignoreCause(channels.release(owner)))),
  )
})
