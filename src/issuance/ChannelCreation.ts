/**
 * Makes sure that the channel accounts exist, on the ledger and in the database.
 *
 * They are created in bulk, their reserves sponsored by the distribution account, with a little XLM for their own
 * fees, by upkeep transactions: stored before they are sent, one at a time over all workers (UpkeepSteps.ts). Which
 * ones are missing is read from the answer that the transaction's sequence comes from, so none is created twice.
 *
 * Invariant: a channel enters the database with the sequence that the ledger shows for a *fresh* account. One that
 * has been used, or is ahead of what the database remembers having signed, means that the database is older than
 * the ledger; then issuing does not start (docs/adr/0003-at-most-once.md, rule 5).
 *
 * Sources: CAP-33 (sponsored reserves); stellar-core gives a new account the sequence `ledger << 32`.
 */
import { Operation } from "@stellar/stellar-sdk"
import { Effect, Schedule } from "effect"
import { formatAmount } from "../kernel/Amount.ts"
import { channelKey, distributionKey, Signer } from "../ports/Signer.ts"
import { type Channel, checkAllKnown, checkNoneLost, registerNew } from "./ChannelChecks.ts"
import { wantedChannels } from "./ChannelCount.ts"
import { Channels } from "./Channels.ts"
import { IssuanceRefused } from "./IssuanceRefused.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { type AccountsView, readTreasury } from "./LedgerAccounts.ts"
import { sayNowAndThen } from "./SayNowAndThen.ts"
import { UpkeepSettings } from "./UpkeepSettings.ts"
import { advanceUpkeep, submitUpkeep } from "./UpkeepSteps.ts"
import { ACCOUNT_RESERVE_STROOPS, allPromises, leftForUpkeep } from "./XlmPromises.ts"

/** A transaction takes 20 signatures: the distribution account's and one of each new channel. */
const CHANNELS_PER_TRANSACTION = 19

/** Begin sponsoring, create, end sponsoring. */
const OPERATIONS_PER_CHANNEL = 3

/** Looks without another channel created, after which a start is given up: an expiry takes about a minute. */
const FRUITLESS_LOOKS_MAX = 600
const LOOK_EVERY = "500 millis"

const operationsFor = ({ address }: Channel, startingBalance: string) => [
  Operation.beginSponsoringFutureReserves({ sponsoredId: address }),
  Operation.createAccount({ destination: address, startingBalance }),
  Operation.endSponsoringFutureReserves({ source: address }),
]

const demandDistribution = Effect.fnUntraced(function* (view: AccountsView) {
  const { distributionAddress } = yield* Signer
  const { assetCode } = yield* IssuanceSettings
  const distribution = view.accounts.get(distributionAddress)
  if (distribution !== undefined) return distribution
  return yield* new IssuanceRefused({
    code: "distribution_account_missing",
    message: `The distribution account ${distributionAddress} does not exist on this network: create and fund it (on testnet: friendbot), give it a ${assetCode} trustline, and start again.`,
  })
})

/** How many of them so much XLM pays for, with reserve (two base reserves, CAP-33) and fee. */
const affordable = Effect.fnUntraced(function* (stroops: bigint) {
  const { feeStroopsMax } = yield* IssuanceSettings
  const { topUpToStroops } = yield* UpkeepSettings
  const each = topUpToStroops + ACCOUNT_RESERVE_STROOPS + BigInt(OPERATIONS_PER_CHANNEL * feeStroopsMax)
  return { count: stroops > 0n ? Number(stroops / each) : 0, each }
})

/** Sends a transaction that creates some of the missing ones; false when another transaction is open. */
const createMissing = Effect.fn("ChannelCreation.createMissing")(function* (
  missing: ReadonlyArray<Channel>,
  view: AccountsView,
) {
  const { topUpToStroops } = yield* UpkeepSettings
  const distribution = yield* demandDistribution(view)
  const created = missing.slice(0, CHANNELS_PER_TRANSACTION)
  return yield* submitUpkeep({
    purpose: "create_channels",
    operations: created.flatMap((channel) => operationsFor(channel, formatAmount(topUpToStroops))),
    subjects: created.map(({ id }) => String(id)),
    keys: [distributionKey, ...created.map(({ id }) => channelKey(id))],
    latestLedger: view.latestLedger,
    sequence: distribution.sequence,
    availableStroops: distribution.availableStroops,
  })
})

interface Look {
  /** Of the wanted ones, on the ledger and in the database now. */
  readonly ready: number
  /** Those that never were; one that is lost is never made anew. */
  readonly missing: ReadonlyArray<Channel>
  /** Out of use, and no longer on the ledger. */
  readonly lost: ReadonlyArray<Channel>
  readonly view: AccountsView
}

/** One look at ledger and database; what the ledger has is in the database afterwards. */
const look = Effect.fnUntraced(function* (wanted: ReadonlyArray<Channel>) {
  const channels = yield* Channels
  const before = yield* channels.list
  const asked = new Set([...wanted, ...before].map(({ address }) => address))
  const view = yield* readTreasury([...asked])
  const known = yield* channels.list
  const lost = yield* checkNoneLost(known, asked, view)
  yield* checkAllKnown(known, new Map(wanted.map(({ id, address }) => [id, address])), view)
  yield* registerNew(known, wanted, view)
  const knownIds = new Set(known.map(({ id }) => id))
  const present = wanted.filter(({ address }) => view.accounts.has(address))
  const missing = wanted.filter(({ address, id }) => !view.accounts.has(address) && !knownIds.has(id))
  return { ready: present.length, missing, lost, view } satisfies Look
})

const wantedOnes = Effect.gen(function* () {
  const signer = yield* Signer
  const count = yield* wantedChannels
  return yield* Effect.forEach(
    Array.from({ length: count }, (_, id) => id),
    (id) => Effect.map(signer.channelAddress(id), (address): Channel => ({ id, address })),
  )
})

/**
 * Creates some of what is missing, as far as the XLM goes that is promised to nobody else; "stuck" when it goes nowhere.
 *
 * @error IssuanceRefused where there is no distribution account
 */
const createSome = Effect.fnUntraced(function* ({ missing, ready, view }: Look) {
  const distribution = yield* demandDistribution(view)
  const { availableStroops } = distribution
  const xlm = { availableStroops, latestLedger: view.latestLedger }
  const free = leftForUpkeep(xlm, yield* allPromises)
  // Another one was sent, or something settled, since the ledger was asked: the next look knows more.
  if (free === undefined) return "waits" as const
  const { count, each } = yield* affordable(free)
  if (count === 0) {
    yield* sayNowAndThen(
      "create_channels",
      Effect.logError(
        `${missing.length} channel accounts are missing, and the distribution account cannot pay for one: each takes ${formatAmount(each)} XLM`,
      ),
    )
    return "stuck" as const
  }
  const sent = yield* createMissing(missing.slice(0, count), view)
  if (sent)
    yield* Effect.logInfo(`creating channel accounts: ${ready} of ${ready + missing.length} are there`)
  return sent ? ("sent" as const) : ("waits" as const)
})

/**
 * Goes on with a pool that is not complete: one look, and one transaction where some are missing. For a running
 * worker; belongs after `advanceUpkeep` has said "free".
 *
 * @error IssuanceRefused, with the sentence for a person; SorobanRpcError and SignerError where a port failed
 */
export const completeChannels = Effect.fn("ChannelCreation.complete")(function* () {
  const channels = yield* Channels
  const wanted = yield* wantedOnes
  const known = new Set((yield* channels.list).map(({ id }) => id))
  if (wanted.every(({ id }) => known.has(id))) return
  const seen = yield* look(wanted)
  if (seen.missing.length > 0) yield* createSome(seen)
})

/** A node may lag behind the ledger that created the channels; this long, then they are taken for gone. */
const LAG_ALLOWANCE = Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(10)])

const patientLook = (wanted: ReadonlyArray<Channel>) =>
  look(wanted).pipe(
    Effect.retry({
      schedule: LAG_ALLOWANCE,
      while: (error) => error._tag === "IssuanceRefused" && error.code === "network_was_reset",
    }),
  )

const refuseNotCreated = Effect.fnUntraced(function* (why: string) {
  const { distributionAddress } = yield* Signer
  return yield* new IssuanceRefused({
    code: "channels_not_created",
    message: `The channel accounts could not be created: ${why}. See the warnings above, and check that ${distributionAddress} holds enough XLM.`,
  })
})

const warnOfLost = ({ lost }: Look) =>
  lost.length === 0
    ? Effect.void
    : Effect.logWarning(
        "channels that are out of use are no longer on the ledger; the worker begins without them",
      ).pipe(Effect.annotateLogs({ channels: lost.map(({ id }) => id).join(", ") }))

/**
 * Brings the pool to the wanted number of channels before the worker begins. Where the XLM suffices for some of them
 * only, it begins with those, and `completeChannels` goes on when there is more.
 *
 * @error IssuanceRefused, with the sentence for a person; SorobanRpcError and SignerError where a port failed
 */
export const ensureChannels = Effect.fn("ChannelCreation.ensureChannels")(function* () {
  const wanted = yield* wantedOnes
  let best = 0
  for (let fruitless = 0; fruitless < FRUITLESS_LOOKS_MAX; fruitless++) {
    const state = yield* advanceUpkeep()
    const seen = yield* patientLook(wanted)
    if (seen.ready > best && fruitless + best > 0) {
      yield* Effect.logInfo(`created ${seen.ready} of ${wanted.length} channel accounts`)
    }
    if (seen.ready > best) fruitless = 0
    best = Math.max(best, seen.ready)
    if (seen.missing.length === 0) return yield* warnOfLost(seen)
    if (state === "free" && (yield* createSome(seen)) === "stuck") {
      if (best === 0) return yield* refuseNotCreated("there is not enough XLM for a single one")
      return yield* warnOfLost(seen)
    }
    yield* Effect.sleep(LOOK_EVERY)
  }
  return yield* refuseNotCreated("nothing that was sent has created one for minutes")
})
