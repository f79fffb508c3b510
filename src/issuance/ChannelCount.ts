/**
 * How many channels the pool should have: as many as keep the network's ledgers full, unless the settings say it.
 */
import { Effect, Option } from "effect"
import { SorobanRpc } from "../ports/SorobanRpc.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { OPERATIONS_MAX } from "./PaymentTransaction.ts"

/** All of them, the distribution account and its trustline are read in one call of 200 keys. */
export const CHANNELS_MAX = 198

/** Two workers with a few channels each, on the smallest network. */
const CHANNELS_MIN = 6

/** Where the node cannot say what a ledger takes. */
const CHANNELS_UNKNOWN = CHANNELS_MIN

/**
 * Two and a half channels for each full transaction that a ledger takes: while one ledger's batches wait for their
 * verdict, the next one's are sent, and some are late. 25 for the public network's 1,000 operations, 6 for testnet's
 * 200. Pure.
 */
export const channelsFor = (operationsMax: number): number => {
  const wanted = Math.ceil((operationsMax / OPERATIONS_MAX) * 2.5)
  return Math.min(CHANNELS_MAX, Math.max(CHANNELS_MIN, wanted))
}

/**
 * NOVA_CHANNELS, or what suits the network's latest ledger.
 *
 * @error SorobanRpcError where the node gave no answer
 */
export const wantedChannels = Effect.gen(function* () {
  const settings = yield* IssuanceSettings
  if (settings.channels !== undefined) return settings.channels
  const rpc = yield* SorobanRpc
  const { sequence } = yield* rpc.getLatestLedger
  const ledger = yield* rpc.getLedger(sequence)
  return Option.match(ledger, {
    onNone: () => CHANNELS_UNKNOWN,
    onSome: ({ operationsMax }) => channelsFor(operationsMax),
  })
}).pipe(Effect.withSpan("ChannelCount.wanted"))
