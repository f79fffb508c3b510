/**
 * Channels in recovery: what the database has settled of each, and raising it to where the ledger stands.
 *
 * Invariant: a channel is raised last, when its whole history has been read and nothing signed for it can apply any
 * more. Until then it stays behind the ledger, and workers refuse to start.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { releaseBound } from "./RecoveredRows.ts"

interface LedgerChannel {
  readonly id: number
  readonly address: string
  /** Of the ledger. */
  readonly sequence: bigint
}

/** The sequence that a new account begins with: its ledger in the upper half, nothing in the lower one. */
const freshSequence = (sequence: bigint): bigint => sequence - (sequence & 0xffff_ffffn)

/**
 * The highest sequence of the channel whose transaction is settled here. All below it are settled too, since a
 * sequence is used only after the one before has its verdict; without any, it is the account's first.
 */
export const settledUpTo = Effect.fn("RecoverChannels.settledUpTo")(function* ({
  id,
  sequence,
}: LedgerChannel) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ sequence: bigint | null; ledger: bigint | null }>`
    SELECT max(sequence) AS sequence, max(ledger) AS ledger FROM (
      SELECT sequence, ledger FROM stellar_envelopes WHERE channel_id = ${id} AND status = 'applied'
      UNION ALL SELECT sequence, ledger FROM unmatched_payments WHERE channel_id = ${id}
    ) known`.pipe(Effect.orDie)
  return row === undefined || row.sequence === null
    ? { sequence: freshSequence(sequence), ledger: undefined }
    : { sequence: row.sequence, ledger: Number(row.ledger) }
})

/** Adds a channel that the database has lost, as it was before its first transaction: still behind the ledger. */
export const registerChannel = Effect.fn("RecoverChannels.registerChannel")(function* (
  owner: string,
  { address, id, sequence }: LedgerChannel,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  const first = freshSequence(sequence)
  yield* sql`
    INSERT INTO channel_accounts
      (id, address, status, sequence_signed, sequence_claimed, lease_owner, lease_until, created_at, updated_at)
    SELECT ${id}, ${address}, 'open', ${first}, ${first}, ${owner},
      (SELECT max(lease_until) FROM channel_accounts WHERE lease_owner = ${owner}), ${at}, ${at}
    ON CONFLICT (id) DO NOTHING`.pipe(Effect.orDie)
})

/**
 * Raises the channel to the ledger. What is still bound to a sequence that the ledger has not consumed goes on there,
 * but for what looks like an open unmatched payment; without anything bound, what was signed there is dead.
 */
export const finishChannel = Effect.fn("RecoverChannels.finishChannel")(function* (
  owner: string,
  channel: LedgerChannel,
) {
  const sql = yield* SqlClient.SqlClient
  const { id, sequence } = channel
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* registerChannel(owner, channel)
  const ahead = yield* sql<{ channel_sequence: bigint }>`
    SELECT DISTINCT channel_sequence FROM reward_issuances
    WHERE status = 'submitted' AND channel_id = ${id} AND channel_sequence > ${sequence}`
  const changed = yield* Effect.forEach(ahead, (row) =>
    releaseBound(
      id,
      row.channel_sequence,
      { channel: id, sequence: String(row.channel_sequence) },
      "look_alikes",
    ),
  )
  const bound = yield* sql`
    SELECT 1 FROM reward_issuances
    WHERE status = 'submitted' AND channel_id = ${id} AND channel_sequence > ${sequence} LIMIT 1`
  if (bound.length === 0) {
    yield* sql`
      UPDATE stellar_envelopes SET status = 'expired', updated_at = ${at}
      WHERE channel_id = ${id} AND sequence > ${sequence} AND status = 'signed'`
    yield* sql`
      UPDATE channel_accounts SET sequence_signed = ${sequence}, sequence_claimed = ${sequence}, updated_at = ${at}
      WHERE id = ${id}`
  } else {
    yield* sql`
      UPDATE channel_accounts SET sequence_signed = greatest(sequence_signed, ${sequence}),
        sequence_claimed = greatest(sequence_claimed, ${sequence}), updated_at = ${at}
      WHERE id = ${id}`
  }
  return { held: changed.flat().map((row) => row.id) }
}, Effect.orDie)

/** Locks the campaigns of everything that is bound, before any row is looked at, as everywhere. */
export const lockBoundCampaigns = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    SELECT id FROM campaigns WHERE id IN (SELECT campaign_id FROM reward_issuances WHERE status = 'submitted')
    ORDER BY id FOR NO KEY UPDATE`
}).pipe(Effect.orDie, Effect.withSpan("RecoverChannels.lockBoundCampaigns"))

/** How a worker words the pause of a database that turned out to be older than the ledger. */
const OLDER = "%is ahead of this database%"

/** Ends the pause where it was for the database's age. Answers with its reason, or null. */
export const liftPause = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ paused_reason: string }>`
    WITH before AS (
      SELECT id, paused_reason FROM issuance_control WHERE paused_reason LIKE ${OLDER} FOR UPDATE
    )
    UPDATE issuance_control c SET paused_at = NULL, paused_reason = NULL FROM before WHERE c.id = before.id
    RETURNING before.paused_reason`
  return row?.paused_reason ?? null
}).pipe(Effect.orDie, Effect.withSpan("RecoverChannels.liftPause"))
