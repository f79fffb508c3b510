/**
 * The issuance worker: verifies that it may issue here, makes sure of its channels, then takes every channel it
 * holds one step further, again and again.
 *
 * A step starts from the database and the ledger alone, so a crash at any point loses nothing: the next worker
 * takes up what is bound. Failures of a step are logged and met with a growing pause, never with a decision.
 */
import { Cause, Clock, Effect, Metric, Option, Ref, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { type Batch, Batches } from "../issuance/Batches.ts"
import { type ChannelRow, Channels, ownerOf } from "../issuance/Channels.ts"
import { checkClock } from "../issuance/ClockCheck.ts"
import type { ChargedFees } from "../issuance/FeeBid.ts"
import { FeeMarket } from "../issuance/FeeMarket.ts"
import { IssuanceControl } from "../issuance/IssuanceControl.ts"
import {
  channelsInFlight,
  isPausedGauge,
  setChannelStates,
  stepsFailed,
} from "../issuance/IssuanceMetrics.ts"
import { IssuanceRefused } from "../issuance/IssuanceRefused.ts"
import { IssuanceSettings } from "../issuance/IssuanceSettings.ts"
import type { Lease } from "../issuance/Lease.ts"
import { type AccountsView, readTreasury } from "../issuance/LedgerAccounts.ts"
import { LedgerCapacity } from "../issuance/LedgerCapacity.ts"
import { rememberLedger } from "../issuance/NetworkIdentity.ts"
import { settleLost } from "../issuance/SettleVerdict.ts"
import { advanceChannel, type Submitted, submitNext } from "../issuance/SubmitBatch.ts"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import { alone, type ChannelStep } from "./ChannelStep.ts"
import { issuanceUpkeep } from "./IssuanceUpkeep.ts"
import { isOlderDatabase, startIssuing } from "./StartIssuing.ts"
import { WorkerReady } from "./WorkerHealth.ts"

/** Channels that one worker advances at the same time; each uses a database connection. */
const CONCURRENT_CHANNELS = 8

/** Idle ones that bind at the same time: claims come one after the other, signing and sending does not. */
const IDLE_CHANNELS_AT_ONCE = 2

/** Longest pause after steps that failed, in ms. */
const FAILURE_PAUSE_MS_MAX = 5_000

/** Failed steps in a row after which the worker calls itself not ready. */
const FAILURES_UNTIL_UNREADY = 5

/** How often the newest known ledger is written down, and a lasting trouble said again, in ms. */
const REMEMBER_EVERY_MS = 60_000

/** The worker cannot go on for a reason that a person should know; it tries again all the same. */
export class WorkerStuck extends Schema.TaggedError<WorkerStuck>()("WorkerStuck", {
  message: Schema.String,
}) {}

/**
 * Compares every channel that the database knows with the ledger. One that is ahead of what was signed here means
 * that this database is older than the ledger (rule 5), also when it became so under a running worker: then nothing
 * more is claimed, on any channel, until a person has looked. `signed` is what this worker has seen signed before: a
 * database that fails over to an older replica may lack envelopes that have not even applied yet.
 */
const checkNotOlder = Effect.fnUntraced(function* (
  rows: ReadonlyArray<ChannelRow>,
  view: AccountsView,
  signed: Map<number, bigint>,
) {
  const channels = yield* Channels
  const wentBack = rows.find(({ id, sequenceSigned }) => (signed.get(id) ?? 0n) > sequenceSigned)
  for (const { id, sequenceSigned } of rows) signed.set(id, sequenceSigned)
  if (wentBack !== undefined) {
    return yield* pauseAsOlder(
      `channel ${wentBack.id} had signed a sequence that it no longer knows: the ledger is ahead of this database, which went back to an older state`,
    )
  }
  const isAhead = (row: ChannelRow) => (view.accounts.get(row.address)?.sequence ?? 0n) > row.sequenceKnown
  if (!rows.some(isAhead)) return
  // Another worker may have signed, and a ledger closed, since the rows were read: what was signed is stored before it
  // is sent, so rows that are read after the ledger's answer know of it.
  const ahead = (yield* channels.list).find(isAhead)
  if (ahead === undefined) return
  return yield* pauseAsOlder(
    `channel ${ahead.id} is ahead of this database: it was restored from an older state, or another hand uses the channel`,
  )
})

const pauseAsOlder = Effect.fnUntraced(function* (reason: string) {
  const control = yield* IssuanceControl
  yield* control.pause(reason)
  return yield* new IssuanceRefused({
    code: "database_older_than_ledger",
    message: `issuing is paused: ${reason}`,
  })
})

interface Ledger {
  readonly view: AccountsView
  readonly charged: ChargedFees
  readonly operationsMax: number
}

const viewOf = Effect.fnUntraced(function* (lease: Lease, { charged, operationsMax, view }: Ledger) {
  const account = view.accounts.get(lease.address)
  if (account === undefined) {
    return yield* new WorkerStuck({
      message: `channel ${lease.channelId} (${lease.address}) is not on the ledger: was the network reset?`,
    })
  }
  return {
    ...account,
    latestLedger: view.latestLedger,
    treasuryStroops: view.treasury?.assetStroops ?? 0n,
    reserveStroops: view.treasury?.nativeAvailableStroops ?? 0n,
    charged,
    operationsMax,
  }
})

/** Fills idle channels until nothing more can be bound. */
const fillIdle = Effect.fnUntraced(function* (leases: ReadonlyArray<Lease>, ledger: Ledger) {
  const isDone = yield* Ref.make(false)
  return yield* Effect.forEach(
    leases,
    Effect.fnUntraced(function* (lease) {
      if (yield* Ref.get(isDone)) return []
      const taken = yield* alone(
        lease,
        Effect.flatMap(viewOf(lease, ledger), (view) => submitNext(lease, view)),
      )
      if (taken._tag === "Taken" && taken.outcome === "nothing") yield* Ref.set(isDone, true)
      return [taken]
    }),
    { concurrency: IDLE_CHANNELS_AT_ONCE },
  )
})

const demandChannels = Effect.fnUntraced(function* (rows: ReadonlyArray<ChannelRow>) {
  if (rows.some((row) => row.status === "open")) return
  return yield* new WorkerStuck({
    message: "rewards wait, but every channel is out of use: nova channels lists them with their reasons",
  })
})

const hasBound = (taken: ChannelStep<Submitted>): boolean =>
  taken._tag === "Taken" && taken.outcome === "bound"

/** What a step found: `starved` is that rewards wait which could not be bound, though channels were free. */
interface StepOutcome {
  readonly found: "idle" | "worked" | "starved"
  /** A channel turned out to be another worker's: what this one holds is to be asked for again. */
  readonly hasLostLease: boolean
}

const IDLE: StepOutcome = { found: "idle", hasLostLease: false }

/**
 * Advances every leased channel once, from what database and ledger say now.
 *
 * @error WorkerStuck with the reason; a port's error where no step could be taken at all
 */
export const step = Effect.fn("IssuanceWorker.step")(function* (
  leases: ReadonlyArray<Lease>,
  signed = new Map<number, bigint>(),
) {
  const batches = yield* Batches
  const channels = yield* Channels
  const work = yield* batches.work
  const inFlight = yield* batches.inFlight(leases.map((lease) => lease.channelId))
  yield* Metric.update(channelsInFlight, inFlight.size)
  yield* Metric.update(isPausedGauge, work.paused ? 1 : 0)
  if (inFlight.size === 0 && (!work.pending || work.paused)) return IDLE
  const rows = yield* channels.list
  if (leases.length === 0) {
    yield* demandChannels(rows)
    return IDLE
  }
  yield* setChannelStates(rows.map(({ status }) => status))
  const view = yield* readTreasury(rows.map((row) => row.address))
  yield* checkNotOlder(rows, view, signed)
  const ledger = {
    view,
    charged: yield* (yield* FeeMarket).charged(view.latestLedger),
    operationsMax: yield* (yield* LedgerCapacity).operationsMax(view.latestLedger),
  }
  const statusOf = new Map(rows.map(({ id, status }) => [id, status]))
  // A channel may have gone out of use since it was leased.
  const current = leases.map((lease) => ({
    ...lease,
    status: statusOf.get(lease.channelId) ?? lease.status,
  }))
  const [settled, filled] = yield* Effect.all(
    [
      advanceBusy(current, inFlight, ledger, work.paused),
      work.pending && !work.paused
        ? fillIdle(
            current.filter(({ channelId }) => !inFlight.has(channelId)),
            ledger,
          )
        : Effect.succeed([]),
    ],
    { concurrency: "unbounded" },
  )
  const filledOnes = filled.flat()
  const tried = [...settled, ...filledOnes].map(({ _tag }) => _tag)
  if (tried.length > 0 && tried.every((tag) => tag === "Failed")) {
    return yield* new WorkerStuck({ message: "every channel's step failed: see the errors above" })
  }
  yield* demandChannels(rows)
  const found = inFlight.size === 0 && !filledOnes.some(hasBound) ? "starved" : "worked"
  return { found, hasLostLease: tried.includes("Lost") } satisfies StepOutcome
})

/**
 * A channel whose account is gone: its batch waits for proof that it was applied, or never was. Where the channel is out of
 * use the worker is not the worse for it.
 */
const advanceGone = Effect.fnUntraced(function* (lease: Lease, ledger: Ledger, batch: Batch) {
  const settled = yield* settleLost(lease, ledger.view.latestLedger, batch)
  if (settled === "waiting" && lease.status === "open") yield* viewOf(lease, ledger)
})

/** Brings what is bound to the channels one step further. */
const advanceBusy = (
  leases: ReadonlyArray<Lease>,
  inFlight: ReadonlyMap<number, Batch>,
  ledger: Ledger,
  isPaused: boolean,
) =>
  Effect.forEach(
    leases.flatMap((lease) => {
      const batch = inFlight.get(lease.channelId)
      return batch === undefined ? [] : [{ lease, batch }]
    }),
    ({ batch, lease }) =>
      alone(
        lease,
        ledger.view.accounts.has(lease.address)
          ? Effect.flatMap(viewOf(lease, ledger), (view) => advanceChannel(lease, view, batch, isPaused))
          : advanceGone(lease, ledger, batch),
      ),
    { concurrency: CONCURRENT_CHANNELS },
  )

const remember = Effect.gen(function* () {
  const rpc = yield* SorobanRpc
  const latest = yield* rpc.getLatestLedger
  yield* rememberLedger(latest)
  yield* checkClock(latest.sequence)
}).pipe(Effect.catchCause((cause) => Effect.logWarning("the newest ledger was not written down", cause)))

const NANOS_PER_MS = 1_000_000n

const monotonicMs = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / NANOS_PER_MS))

/** Takes steps with the channels of `owner`, renewing the leases in time; a step may last one lease at most. */
const makeTakeStep = Effect.fnUntraced(function* (owner: string) {
  const settings = yield* IssuanceSettings
  const channels = yield* Channels
  let leases: ReadonlyArray<Lease> = []
  // By a clock that nobody sets back: leases end by the wall clock of whoever looks at them, but are renewed in time.
  let renewAtMs = 0
  const signed = new Map<number, bigint>()
  return Effect.gen(function* () {
    const nowMs = yield* monotonicMs
    if (leases.length === 0 || nowMs >= renewAtMs) {
      leases = yield* channels.lease(owner, settings.leaseMs)
      renewAtMs = nowMs + settings.leaseMs / 3
    }
    const outcome = yield* step(leases, signed)
    // Soon, but not at once: two workers that take each other's channels for free must not do so at every step.
    if (outcome.hasLostLease) renewAtMs = Math.min(renewAtMs, nowMs + settings.leaseMs / 15)
    return outcome.found
  }).pipe(
    Effect.timeout(settings.leaseMs),
    Effect.onError(() =>
      Effect.sync(() => {
        renewAtMs = 0
      }),
    ),
  )
})

/**
 * Steps for ever, at the poll interval while all goes well, with growing pauses while it does not; but it ends when the
 * database turns out to be older than the ledger, so that the channels are given back to whoever recovers it.
 */
const loop = Effect.fnUntraced(function* (owner: string) {
  const settings = yield* IssuanceSettings
  const ready = yield* WorkerReady
  const takeStep = yield* makeTakeStep(owner)
  let rememberedAtMs = yield* Clock.currentTimeMillis
  let starvedSaidAtMs = 0
  let failures = 0
  while (true) {
    const outcome = yield* takeStep.pipe(Effect.sandbox, Effect.result)
    failures = outcome._tag === "Failure" ? failures + 1 : 0
    if (outcome._tag === "Failure") {
      if (Option.exists(Cause.findErrorOption(outcome.failure), isOlderDatabase)) return
      yield* Effect.logError("a step failed and will be taken again", outcome.failure)
    }
    yield* Metric.update(stepsFailed, failures)
    yield* Ref.set(ready, failures < FAILURES_UNTIL_UNREADY)
    const nowMs = yield* Clock.currentTimeMillis
    if (
      outcome._tag === "Success" &&
      outcome.success === "starved" &&
      nowMs - starvedSaidAtMs >= REMEMBER_EVERY_MS
    ) {
      starvedSaidAtMs = nowMs
      yield* Effect.logError(
        "rewards wait, and none of them could be bound: the treasury or the channels lack money, or the database was restored; nova treasury status and nova channels say more",
      )
    }
    if (nowMs - rememberedAtMs >= REMEMBER_EVERY_MS) {
      rememberedAtMs = nowMs
      yield* remember
    }
    const grownMs = settings.pollIntervalMs * 2 ** Math.min(failures, 10)
    yield* Effect.sleep(failures === 0 ? settings.pollIntervalMs : Math.min(grownMs, FAILURE_PAUSE_MS_MAX))
  }
})

/**
 * Runs until it is interrupted; gives its channels back when it is.
 *
 * @error IssuanceRefused when issuing must not start here, for another reason than a database to be recovered
 * @error SorobanRpcError, SqlError or SignerError where one of the three gave no answer for a minute of its start
 */
export const issuanceWorker = Effect.gen(function* () {
  const random = yield* SecureRandom.SecureRandom
  const channels = yield* Channels
  const { workerName } = yield* IssuanceSettings
  const owner = ownerOf(workerName ?? "(unnamed)", yield* random.ulid)
  const ready = yield* WorkerReady
  const work = Effect.raceFirst(loop(owner), issuanceUpkeep).pipe(
    Effect.ensuring(Effect.andThen(Ref.set(ready, false), Effect.ignoreCause(channels.release(owner)))),
  )
  while (true) {
    yield* startIssuing(owner, ready)
    yield* work
  }
})
