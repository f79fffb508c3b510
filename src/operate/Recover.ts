/**
 * `nova recover`: brings a database that is older than the ledger up to it, so that issuing may go on.
 *
 * Every transaction that consumed a channel's sequence after what the database knows is read from Horizon. What it paid
 * is matched with rows by the proof in its memo, or written down as unmatched, for a person to look at
 * (src/operate/Review.ts). Only when every channel has been read to where the ledger stands are its sequences raised,
 * and that is what lets issuing start again.
 *
 * Invariants:
 * - No worker writes meanwhile: every channel's lease is held (src/operate/RecoverLeases.ts).
 * - Nothing that was signed before can still apply when the books are read: first, so many ledgers pass as an envelope
 *   may live, and the accounts are read from a node that has seen the last of them. How it would break: an envelope that
 *   applies after its sequence was read, and that nobody then sees.
 * - One database transaction for each of the ledger's, so it may be interrupted and run again at any point.
 *
 * Source: docs/adr/0003-at-most-once.md, rule 5
 */
import { Effect, Option, Schedule } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { type ChannelRow, Channels } from "../issuance/Channels.ts"
import { acknowledgeDatabase } from "../issuance/DatabaseIdentity.ts"
import { IssuanceSettings } from "../issuance/IssuanceSettings.ts"
import { type AccountsView, readAccounts } from "../issuance/LedgerAccounts.ts"
import { verifyNetwork } from "../issuance/NetworkIdentity.ts"
import { Horizon } from "../ports/Horizon.ts"
import { Signer } from "../ports/Signer.ts"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import { forEachTransaction, LAG } from "./ChannelHistory.ts"
import type { Payer } from "./LedgerTransaction.ts"
import {
  finishChannel,
  liftPause,
  lockBoundCampaigns,
  registerChannel,
  settledUpTo,
} from "./RecoverChannels.ts"
import {
  demandNoWorker,
  RecoverRefused,
  releaseEveryLease,
  renewLeases,
  takeEveryLease,
} from "./RecoverLeases.ts"
import { bookReclaims, forEachOwn, reclaimsFrom } from "./RecoverReclaims.ts"
import { makeRecoverTally, type RecoverReport } from "./RecoverReport.ts"
import { applyFate, type Changes, fateOf } from "./RecoverTransaction.ts"

export interface RecoverOptions {
  /** Says what would be done, and does nothing of it. */
  readonly dryRun: boolean
  /** Told what is being done, a line at a time. */
  readonly say: (line: string) => Effect.Effect<void>
}

/** Channels that a pool has at most (NOVA_CHANNELS), and one getLedgerEntries call reads. */
const CHANNELS_MAX = 199

/**
 * Ledgers by which the node that the last envelope was signed by may have been ahead of those that are asked here. A
 * node of Stellar RPC calls itself healthy up to 30 s behind (max-healthy-ledger-latency), six ledgers of 5 s.
 */
const NODES_APART = 10

/** Transactions after which progress is said. */
const SAY_EVERY = 500

interface Channel {
  readonly id: number
  readonly address: string
  /** Of the ledger. */
  readonly sequence: bigint
  /** Undefined when the database does not know the channel. */
  readonly row: ChannelRow | undefined
}

/** What one run carries along. */
interface Run extends RecoverOptions {
  readonly owner: string
  readonly payer: Payer
  readonly tally: ReturnType<typeof makeRecoverTally>
}

/** One database transaction under the leases; of a dry run, one that leaves nothing behind. */
const write = Effect.fnUntraced(function* <A, E, R>(run: Run, work: Effect.Effect<A, E, R>) {
  const sql = yield* SqlClient.SqlClient
  if (!run.dryRun) return yield* sql.withTransaction(Effect.andThen(renewLeases(run.owner), work))
  let changes = Option.none<A>()
  const undo = Effect.flatMap(work, (answer) => {
    changes = Option.some(answer)
    return Effect.die("undone")
  })
  const exit = yield* Effect.exit(sql.withTransaction(undo))
  return Option.isSome(changes) ? changes.value : yield* exit
})

/** The accounts as of `ledger` or later, whichever node answers. */
const readAccountsAt = Effect.fnUntraced(function* (addresses: ReadonlyArray<string>, ledger: number) {
  return yield* readAccounts(addresses).pipe(
    Effect.filterOrFail(
      ({ latestLedger }) => latestLedger >= ledger,
      ({ latestLedger }) =>
        new RecoverRefused({
          code: "node_behind",
          message: `Stellar RPC answers about ledger ${latestLedger}, though ledger ${ledger} has closed: wait, or point SOROBAN_RPC_URL at a node that keeps up.`,
        }),
    ),
    Effect.retry({ schedule: LAG, while: ({ _tag }) => _tag === "RecoverRefused" }),
  )
})

/** Every index that a pool may have: those that the ledger has, and those that the database knows. */
const findChannels = Effect.fnUntraced(function* (rows: ReadonlyArray<ChannelRow>, ledger: number) {
  const signer = yield* Signer
  const byId = new Map(rows.map((row) => [row.id, row]))
  const all = yield* Effect.forEach(
    Array.from({ length: CHANNELS_MAX }, (_, id) => id),
    (id) => Effect.map(signer.channelAddress(id), (address) => ({ id, address, row: byId.get(id) })),
  )
  const foreign = all.find(({ address, row }) => row !== undefined && row.address !== address)
  if (foreign !== undefined) {
    return yield* new RecoverRefused({
      code: "wrong_seed",
      message: `Channel ${foreign.id} is ${foreign.row?.address} in the database but ${foreign.address} by NOVA_CHANNEL_SEED: set the seed that belongs to this database.`,
    })
  }
  const view: AccountsView = yield* readAccountsAt(
    all.map(({ address }) => address),
    ledger,
  )
  const lost = all.find(({ address, row }) => row !== undefined && !view.accounts.has(address))
  if (lost !== undefined) {
    return yield* new RecoverRefused({
      code: "network_was_reset",
      message: `Channel ${lost.id} (${lost.address}) is in the database but not on the ledger: the network was reset, or it is another one.`,
    })
  }
  const channels = all.flatMap(({ address, id, row }): ReadonlyArray<Channel> => {
    const account = view.accounts.get(address)
    return account === undefined ? [] : [{ id, address, row, sequence: account.sequence }]
  })
  return { ledger: view.latestLedger, channels }
})

/** The newest ledger that anybody speaks of: the one that the last envelope was signed by was not far above it. */
const newestLedger = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [stored] = yield* sql<{ ledger: number }>`
    SELECT coalesce(greatest(max(ledger_signed), max(ledger_sent), max(ledger)), 0)::int AS ledger
    FROM stellar_envelopes`.pipe(Effect.orDie)
  const { sequence } = yield* SorobanRpc.use((rpc) => rpc.getLatestLedger)
  const { latestLedger } = yield* Horizon.use((horizon) => horizon.root)
  return Math.max(sequence, latestLedger, stored?.ledger ?? 0)
})

/** Lets the ledgers pass in which something that was signed before could still apply; answers with the last of them. */
const outliveEnvelopes = Effect.fnUntraced(function* (run: Run) {
  const sql = yield* SqlClient.SqlClient
  const rpc = yield* SorobanRpc
  const { envelopeLedgers } = yield* IssuanceSettings
  const [stored] = yield* sql<{ longest: number }>`
    SELECT coalesce(max(ledger_max - ledger_signed), 0)::int AS longest FROM stellar_envelopes`.pipe(
    Effect.orDie,
  )
  const lives = Math.max(envelopeLedgers + 1, stored?.longest ?? 0)
  const last = (yield* newestLedger) + lives + NODES_APART
  yield* run.say(`waiting for ledger ${last}: until then, what was signed before could still apply`)
  yield* Effect.gen(function* () {
    const { sequence } = yield* rpc.getLatestLedger
    yield* write(run, Effect.void)
    return sequence
  }).pipe(Effect.repeat({ schedule: Schedule.spaced("1 second"), until: (sequence) => sequence >= last }))
  return last
})

/** Reads one channel's history from where the database's knowledge ends, and settles what it finds. */
const recoverChannel = Effect.fn("Recover.recoverChannel")(function* (run: Run, channel: Channel) {
  const settled = yield* settledUpTo(channel)
  if (settled.sequence >= channel.sequence) return
  yield* run.say(
    `channel ${channel.id}: the ledger is at sequence ${channel.sequence}, settled here is ${settled.sequence}`,
  )
  const span = {
    channelId: channel.id,
    address: channel.address,
    sequenceAbove: settled.sequence,
    sequenceUpTo: channel.sequence,
    fromLedger: settled.ledger,
  }
  let seen = 0
  yield* forEachTransaction(span, run.payer, (transaction) =>
    Effect.gen(function* () {
      const fate = yield* fateOf(transaction, run.tally.confirmed)
      const changes: Changes = yield* write(
        run,
        Effect.gen(function* () {
          yield* registerChannel(run.owner, channel)
          return yield* applyFate(channel.id, transaction, fate, run.payer)
        }),
      )
      run.tally.add(fate, changes)
      seen += 1
      if (seen % SAY_EVERY === 0) yield* run.say(`channel ${channel.id}: ${seen} transactions read`)
    }),
  )
  run.tally.addChannel({
    channelId: channel.id,
    address: channel.address,
    isNew: channel.row === undefined,
    sequenceSettled: settled.sequence,
    sequenceLedger: channel.sequence,
    transactions: seen,
  })
})

/** Reads what the distribution account has taken back. After the channels, since those tell of its balances. */
const recoverReclaims = Effect.fn("Recover.recoverReclaims")(function* (run: Run, upToLedger: number) {
  const fromLedger = yield* reclaimsFrom
  if (fromLedger === undefined) return
  yield* run.say(`reading what the distribution account has taken back since ledger ${fromLedger}`)
  yield* forEachOwn({ fromLedger, upToLedger }, run.payer, (transaction) =>
    Effect.map(write(run, bookReclaims(transaction, run.payer)), run.tally.reclaim),
  )
})

const perform = Effect.fnUntraced(function* (run: Run) {
  const channels = yield* Channels
  const ledger = run.dryRun ? 0 : yield* outliveEnvelopes(run)
  const found = yield* findChannels(yield* channels.list, ledger)
  yield* Effect.forEach(found.channels, (channel) => recoverChannel(run, channel), { discard: true })
  yield* recoverReclaims(run, found.ledger)
  const ended = yield* write(
    run,
    Effect.gen(function* () {
      yield* lockBoundCampaigns
      // It has been waited for what this database may not know of, so issuing need not wait for that again.
      yield* Effect.orDie(acknowledgeDatabase())
      const changes = yield* Effect.forEach(found.channels, (channel) => finishChannel(run.owner, channel))
      return { changes, pauseLifted: yield* liftPause }
    }),
  )
  for (const { held } of ended.changes) run.tally.hold(held)
  return yield* run.tally.report({
    dryRun: run.dryRun,
    ledger: found.ledger,
    pauseLifted: ended.pauseLifted,
  })
})

/**
 * Mends the books, or says how they would be mended.
 *
 * @error IssuanceRefused on another network; RecoverRefused while a worker is alive; HistoryIncomplete; a port's error.
 *   After each of them it may simply be run again.
 */
export const recover = Effect.fn("Recover.recover")(function* (options: RecoverOptions) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const settings = yield* IssuanceSettings
  const { distributionAddress } = yield* Signer
  const owner = `recover-${yield* random.ulid}`
  const { assetCode, assetIssuer } = settings
  const payer = { distributionAddress, assetCode, assetIssuer }
  const run: Run = { ...options, owner, payer, tally: makeRecoverTally() }
  if (options.dryRun) {
    yield* write(run, verifyNetwork())
    return (yield* perform(run)) satisfies RecoverReport
  }
  yield* verifyNetwork()
  yield* demandNoWorker(owner)
  return yield* Effect.acquireUseRelease(
    sql.withTransaction(takeEveryLease(owner)).pipe(Effect.catchTag("SqlError", Effect.die)),
    () => perform(run),
    () => releaseEveryLease(owner),
  )
})
