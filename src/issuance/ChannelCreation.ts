/**
 * Makes sure that the channel accounts exist, on the ledger and in the database.
 *
 * They are created in bulk, their reserves sponsored by the distribution account, with a little XLM for their own
 * fees. Creating is safe to repeat and to race: an account exists once, so a second attempt fails as a whole and
 * pays for nothing but its fee.
 *
 * Invariant: a channel enters the database with the sequence that the ledger shows for a *fresh* account. One that
 * has been used, or is ahead of what the database remembers having signed, means that the database is older than
 * the ledger; then issuing does not start (docs/adr/0003-at-most-once.md, rule 5).
 *
 * Sources: CAP-33 (sponsored reserves); stellar-core gives a new account the sequence `ledger << 32`.
 */
import { Account, Operation, TransactionBuilder } from "@stellar/stellar-sdk"
import { Clock, Effect, Schedule } from "effect"
import { channelKey, distributionKey, Signer } from "../ports/Signer.ts"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import { type ChannelRow, Channels } from "./Channels.ts"
import { IssuanceRefused } from "./IssuanceRefused.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { type AccountsView, readAccounts } from "./LedgerAccounts.ts"
import { describeSubmission } from "./TransactionOutcome.ts"

/** XLM that a channel starts with, for its fees: 5 XLM pay 500,000 operations at the lowest fee. */
const STARTING_BALANCE = "5"

/** A transaction takes 20 signatures: the distribution account's and one of each new channel. */
const CHANNELS_PER_TRANSACTION = 19

/** Ledgers in which a creation may apply; short, because nothing is lost by asking again. */
const CREATION_LEDGERS = 6
const CREATION_SECONDS = 60
const CREATION_ATTEMPTS = 20

interface Channel {
  readonly id: number
  readonly address: string
}

/** A sequence that no transaction of the account has used yet: only its creation's ledger, in the upper half. */
const isFresh = (sequence: bigint): boolean => (sequence & 0xffff_ffffn) === 0n

const buildCreation = (
  missing: ReadonlyArray<Channel>,
  distribution: { readonly address: string; readonly sequence: bigint },
  bounds: { readonly ledgerMax: number; readonly timeMax: number },
  settings: IssuanceSettings["Service"],
): string => {
  const source = new Account(distribution.address, distribution.sequence.toString())
  const builder = new TransactionBuilder(source, {
    fee: String(settings.baseFeeStroops),
    networkPassphrase: settings.networkPassphrase,
    timebounds: { minTime: 0, maxTime: bounds.timeMax },
    ledgerbounds: { minLedger: 0, maxLedger: bounds.ledgerMax },
  })
  for (const { address } of missing) {
    builder
      .addOperation(Operation.beginSponsoringFutureReserves({ sponsoredId: address }))
      .addOperation(Operation.createAccount({ destination: address, startingBalance: STARTING_BALANCE }))
      .addOperation(Operation.endSponsoringFutureReserves({ source: address }))
  }
  return builder.build().toXDR()
}

/** Submits one creation and waits until it has applied or can no longer apply. */
const createMissing = Effect.fn("ChannelCreation.createMissing")(function* (
  missing: ReadonlyArray<Channel>,
  view: AccountsView,
) {
  const rpc = yield* SorobanRpc
  const signer = yield* Signer
  const settings = yield* IssuanceSettings
  const distribution = view.accounts.get(signer.distributionAddress)
  if (distribution === undefined) {
    return yield* new IssuanceRefused({
      code: "distribution_account_missing",
      message: `The distribution account ${signer.distributionAddress} does not exist on this network: create and fund it (on testnet: friendbot), give it a ${settings.assetCode} trustline, and start again.`,
    })
  }
  const bounds = {
    ledgerMax: view.latestLedger + 1 + CREATION_LEDGERS,
    timeMax: Math.floor((yield* Clock.currentTimeMillis) / 1000) + CREATION_SECONDS,
  }
  const source = { address: signer.distributionAddress, sequence: distribution.sequence }
  const unsigned = buildCreation(missing, source, bounds, settings)
  const signed = yield* signer.sign(unsigned, [distributionKey, ...missing.map(({ id }) => channelKey(id))])
  // A lost answer, or a refusal, decides nothing here: the accounts are there in the end, or they are not.
  const answer = yield* rpc.sendTransaction(signed.envelopeXdr).pipe(
    Effect.map(describeSubmission),
    Effect.catchTag("SorobanRpcError", (error) => Effect.succeed(`no answer: ${error.reason}`)),
  )
  yield* Effect.logInfo(`creating ${missing.length} channel accounts`).pipe(
    Effect.annotateLogs({ hash: signed.hash, answer }),
  )
  yield* rpc.getTransaction(signed.hash).pipe(
    Effect.repeat({
      schedule: Schedule.spaced("200 millis"),
      until: (tx) => tx.status !== "NOT_FOUND" || tx.latestLedger + 1 >= bounds.ledgerMax,
    }),
  )
})

const checkKnown = (row: ChannelRow, address: string, sequence: bigint | undefined) => {
  const refuse = (message: string) =>
    Effect.fail(new IssuanceRefused({ code: "database_older_than_ledger", message }))
  if (row.address !== address) {
    return refuse(
      `Channel ${row.id} is ${row.address} in the database but ${address} by NOVA_CHANNEL_SEED: set the seed that belongs to this database.`,
    )
  }
  if (sequence !== undefined && sequence > row.sequenceSigned && row.status === "open") {
    return refuse(
      `Channel ${row.id} (${address}) is at sequence ${sequence} on the ledger, above ${row.sequenceSigned}, the highest that this database has signed: the database is older than the ledger (a restored dump?), and issuing now could pay twice.`,
    )
  }
  return Effect.void
}

/** Every channel that the database knows, wanted now or not: each open one may be leased. */
const checkAllKnown = Effect.fnUntraced(function* (
  known: ReadonlyArray<ChannelRow>,
  addressOf: ReadonlyMap<number, string>,
  view: AccountsView,
) {
  for (const row of known) {
    yield* checkKnown(row, addressOf.get(row.id) ?? row.address, view.accounts.get(row.address)?.sequence)
  }
})

const registerNew = Effect.fnUntraced(function* (
  known: ReadonlyArray<ChannelRow>,
  wanted: ReadonlyArray<Channel>,
  view: AccountsView,
) {
  const channels = yield* Channels
  const knownIds = new Set(known.map((row) => row.id))
  const fresh: Array<Channel & { readonly sequence: bigint }> = []
  for (const { id, address } of wanted) {
    const sequence = view.accounts.get(address)?.sequence
    if (knownIds.has(id) || sequence === undefined) continue
    if (!isFresh(sequence)) {
      return yield* new IssuanceRefused({
        code: "database_older_than_ledger",
        message: `Channel ${id} (${address}) has been used on the ledger, but this database does not know it: the database is older than the ledger, or the seed serves another one too. Issuing now could pay twice.`,
      })
    }
    fresh.push({ id, address, sequence })
  }
  yield* channels.register(fresh)
})

/** A channel that was there once is never made anew: its sequences would start over. */
const checkNoneLost = (known: ReadonlyArray<ChannelRow>, view: AccountsView) => {
  const lost = known.find((row) => !view.accounts.has(row.address))
  if (lost === undefined) return Effect.void
  return Effect.fail(
    new IssuanceRefused({
      code: "network_was_reset",
      message: `Channel ${lost.id} (${lost.address}) is in the database but no longer on the ledger: the network was reset, or it is another one. Use a fresh database, or point SOROBAN_RPC_URL at the network that was used before.`,
    }),
  )
}

/** One look at database and ledger; true when every wanted channel is there, else it has tried to create some. */
const ensureOnce = Effect.fnUntraced(function* (wanted: ReadonlyArray<Channel>) {
  const signer = yield* Signer
  const channels = yield* Channels
  const known = yield* channels.list
  const addresses = new Set([
    signer.distributionAddress,
    ...wanted.map(({ address }) => address),
    ...known.map(({ address }) => address),
  ])
  const view = yield* readAccounts([...addresses])
  yield* checkNoneLost(known, view)
  yield* checkAllKnown(known, new Map(wanted.map(({ id, address }) => [id, address])), view)
  const missing = wanted.filter(({ address }) => !view.accounts.has(address))
  if (missing.length > 0) {
    yield* createMissing(missing.slice(0, CHANNELS_PER_TRANSACTION), view)
    return false
  }
  yield* registerNew(known, wanted, view)
  return true
})

/** A node may lag behind the ledger that created the channels; this long, then they are taken for gone. */
const LAG_ALLOWANCE = Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(10)])

/**
 * Brings the pool to the wanted number of channels.
 *
 * @error IssuanceRefused, with the sentence for a person; SorobanRpcError and SignerError where a port failed
 */
export const ensureChannels = Effect.fn("ChannelCreation.ensureChannels")(function* () {
  const signer = yield* Signer
  const settings = yield* IssuanceSettings
  const wanted = yield* Effect.forEach(
    Array.from({ length: settings.channels ?? 25 }, (_, id) => id),
    (id) => Effect.map(signer.channelAddress(id), (address): Channel => ({ id, address })),
  )
  for (let attempt = 1; attempt <= CREATION_ATTEMPTS; attempt++) {
    const isComplete = yield* ensureOnce(wanted).pipe(
      Effect.retry({
        schedule: LAG_ALLOWANCE,
        while: (error) => error._tag === "IssuanceRefused" && error.code === "network_was_reset",
      }),
    )
    if (isComplete) return
  }
  return yield* new IssuanceRefused({
    code: "channels_not_created",
    message: `The channel accounts could not be created in ${CREATION_ATTEMPTS} attempts: see the warnings above, and check that ${signer.distributionAddress} holds enough XLM.`,
  })
})
