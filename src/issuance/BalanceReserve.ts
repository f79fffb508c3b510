/**
 * The XLM that claimable balances reserve: with two claimants each takes two base reserves of the distribution
 * account (CAP-23), 1 XLM, until somebody claims it.
 *
 * Invariant: all batches in flight together never promise more balances than the XLM can reserve, or the ledger would
 * refuse a whole batch for the program's sake. How it would break: two channels that read the same XLM and do not see
 * each other's balances; so they are counted one after the other (the lock on `issuance_control`, which claims take
 * too), and against a balance of XLM that is not older than what has been settled.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { eject } from "./EjectRewards.ts"
import { readTreasury } from "./LedgerAccounts.ts"

/** Reserve of a balance with two claimants, in stroops of XLM. */
const BALANCE_RESERVE_STROOPS = 10_000_000n

export interface Reserve {
  /** XLM of the distribution account above its minimum balance, stroops; may be negative. */
  readonly reserveStroops: bigint
  /** The ledger that says so. */
  readonly latestLedger: number
  /** When the ledger is asked again about those that are held for want of XLM. */
  readonly checkAt: Date
}

const affordable = (reserveStroops: bigint): number =>
  reserveStroops < 0n ? 0 : Number(reserveStroops / BALANCE_RESERVE_STROOPS)

/**
 * Holds the balances of a batch that the XLM cannot reserve beside those of the other batches in flight; answers with
 * how many. Belongs into a transaction that holds the channel's fence, and only while nothing is alive there.
 */
export const holdBeyondReserve = Effect.fn("BalanceReserve.hold")(function* (
  channelId: number,
  sequence: bigint,
  { checkAt, latestLedger, reserveStroops }: Reserve,
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`SELECT 1 FROM issuance_control WHERE id = 1 FOR UPDATE`
  // A statement of its own: it must see what the transaction that held the lock before has kept.
  const beyond = yield* sql<{ id: string }>`
    SELECT id FROM reward_issuances
    WHERE status = 'submitted' AND payout = 'claimable_balance'
      AND channel_id = ${channelId} AND channel_sequence = ${sequence}
    ORDER BY id OFFSET (
      SELECT CASE
        WHEN coalesce((SELECT max(ledger) FROM stellar_envelopes WHERE status = 'applied'), 0) > ${latestLedger} THEN 0
        ELSE greatest(0, ${affordable(reserveStroops)}::int - count(*)::int) END
      FROM reward_issuances
      WHERE status = 'submitted' AND payout = 'claimable_balance'
        AND (channel_id, channel_sequence) <> (${channelId}::int, ${sequence}::bigint))`
  yield* eject(
    channelId,
    sequence,
    beyond.map(({ id }) => ({ issuanceId: id, to: "held", reason: "no_trustline", code: null, checkAt })),
  )
  return beyond.length
}, Effect.orDie)

/** How many more balances the XLM could reserve now, beside those in flight: a guess for whoever only looks. */
export const balanceRoom = Effect.fn("BalanceReserve.room")(function* () {
  const sql = yield* SqlClient.SqlClient
  const { treasury } = yield* readTreasury([])
  const [row] = yield* sql<{ count: number }>`
    SELECT count(*)::int AS count FROM reward_issuances
    WHERE status = 'submitted' AND payout = 'claimable_balance'`.pipe(Effect.orDie)
  return Math.max(0, affordable(treasury?.nativeAvailableStroops ?? 0n) - (row?.count ?? 0))
})
