/**
 * The XLM that claimable balances reserve: with two claimants each takes two base reserves of the distribution
 * account (CAP-23), 1 XLM, until somebody claims it.
 *
 * Invariant: all batches in flight and the open upkeep transaction together never promise more than the XLM can keep, or
 * the ledger would refuse a whole batch for the program's sake (src/issuance/XlmPromises.ts). Locks are taken in the order
 * fence, campaigns, promises: whoever waits for a campaign while it holds the lock on promises would hold up every claim.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { eject } from "./EjectRewards.ts"
import { readTreasury } from "./LedgerAccounts.ts"
import { lockCampaigns } from "./LockCampaigns.ts"
import {
  allPromises,
  BALANCE_RESERVE_STROOPS,
  lockXlm,
  promisesBeside,
  type SpendableXlm,
  unpromised,
  type XlmPromises,
} from "./XlmPromises.ts"

export interface Reserve {
  /** XLM of the distribution account above its minimum balance, stroops; may be negative. */
  readonly reserveStroops: bigint
  /** The ledger that says so. */
  readonly latestLedger: number
  /** When the ledger is asked again about those that are held for want of XLM. */
  readonly checkAt: Date
}

/** How many balances can be reserved beside what is promised. */
const roomFor = (xlm: SpendableXlm, promises: XlmPromises): number => {
  const free = unpromised(xlm, promises)
  return free === undefined || free < 0n ? 0 : Number(free / BALANCE_RESERVE_STROOPS)
}

/**
 * Holds the balances of a batch that the XLM cannot reserve beside those of the other batches in flight and beside the
 * upkeep's; answers with how many. Belongs into a transaction that holds the channel's fence, and only while nothing is
 * alive there.
 */
export const holdBeyondReserve = Effect.fn("BalanceReserve.hold")(function* (
  channelId: number,
  sequence: bigint,
  { checkAt, latestLedger, reserveStroops }: Reserve,
) {
  const sql = yield* SqlClient.SqlClient
  yield* lockCampaigns(channelId, sequence)
  yield* lockXlm
  // A statement of its own: it must see what the transaction that held the lock before has kept.
  const promises = yield* promisesBeside(channelId, sequence)
  const beyond = yield* sql<{ id: string }>`
    SELECT id FROM reward_issuances
    WHERE status = 'submitted' AND payout = 'claimable_balance'
      AND channel_id = ${channelId} AND channel_sequence = ${sequence}
    ORDER BY id OFFSET ${roomFor({ availableStroops: reserveStroops, latestLedger }, promises)}::int`
  yield* eject(
    channelId,
    sequence,
    beyond.map(({ id }) => ({ issuanceId: id, to: "held", reason: "no_trustline", code: null, checkAt })),
  )
  return beyond.length
}, Effect.orDie)

/** How many more balances the XLM could reserve now, beside what is promised: a guess for whoever only looks. */
export const balanceRoom = Effect.fn("BalanceReserve.room")(function* () {
  const { latestLedger, treasury } = yield* readTreasury([])
  const availableStroops = treasury?.nativeAvailableStroops ?? 0n
  return roomFor({ availableStroops, latestLedger }, yield* allPromises)
})
