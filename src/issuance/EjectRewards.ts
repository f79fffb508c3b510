/**
 * Taking rewards out of a batch for their own reason: the ledger would refuse them, or has refused them.
 *
 * Invariant: a reward leaves its (channel, sequence) only when nothing that pays it can apply there any more. So
 * nothing changes while an envelope at that sequence is alive; how it would break otherwise is a reward that is held
 * or given to another batch while its first envelope is still on its way.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { IssuanceReason } from "./Issuance.ts"
import { lockCampaigns } from "./LockCampaigns.ts"
import { stillAlike } from "./LookAlikes.ts"

export interface Ejection {
  readonly issuanceId: string
  /** `claimable_balance` keeps it in the batch and changes only how it is paid out. */
  readonly to: "failed" | "held" | "claimable_balance"
  readonly reason: IssuanceReason
  /** What the ledger answered, where it did: "op_no_trust". */
  readonly code: string | null
  /** When a held one is looked at again; null when only a person can say. */
  readonly checkAt: Date | null
}

/**
 * Without those that should wait for a person who has decided since the worker looked: nobody would free them again, and
 * nothing keeps them from being paid.
 */
const withoutDecided = Effect.fnUntraced(function* (found: ReadonlyArray<Ejection>) {
  const reviewed = found.filter(({ reason }) => reason === "under_review").map((one) => one.issuanceId)
  if (reviewed.length === 0) return found
  const alike = yield* stillAlike(reviewed)
  return found.filter(({ issuanceId, reason }) => reason !== "under_review" || alike.has(issuanceId))
})

/** Belongs into a transaction that holds the channel's fence. Repeating it changes nothing. */
export const eject = Effect.fn("Batches.eject")(function* (
  channelId: number,
  sequence: bigint,
  found: ReadonlyArray<Ejection>,
) {
  const ejections = yield* withoutDecided(found)
  if (ejections.length === 0) return
  const sql = yield* SqlClient.SqlClient
  const alive = yield* sql`
    SELECT 1 FROM stellar_envelopes
    WHERE channel_id = ${channelId} AND sequence = ${sequence} AND status = 'signed'`
  if (alive.length > 0) {
    return yield* Effect.die(
      new Error(`channel ${channelId} has a living envelope: nothing can be taken out`),
    )
  }
  const at = new Date(yield* Clock.currentTimeMillis)
  yield* lockCampaigns(channelId, sequence)
  const bound = sql`r.status = 'submitted' AND r.channel_id = ${channelId} AND r.channel_sequence = ${sequence}`
  const converted = ejections.filter(({ to }) => to === "claimable_balance").map((one) => one.issuanceId)
  yield* sql`
    UPDATE reward_issuances r SET payout = 'claimable_balance', updated_at = ${at}
    WHERE id = ANY(${converted}::text[]) AND ${bound}`
  // How one that leaves is paid is decided anew when it comes again: its trustline may be there by then.
  // Nothing is the empty text: the driver cannot tell the type of an array that holds only nulls.
  const leaving = ejections.filter(({ to }) => to !== "claimable_balance")
  yield* sql`
    WITH gone AS (
      UPDATE reward_issuances r SET status = e.to_status, reason = e.reason, held_check_at = nullif(e.check_at, '')::timestamptz,
        channel_id = NULL, channel_sequence = NULL, payout = 'payment', updated_at = ${at}
      FROM unnest(
        ${leaving.map((one) => one.issuanceId)}::text[], ${leaving.map((one) => one.to)}::text[],
        ${leaving.map((one) => one.reason)}::text[], ${leaving.map((one) => one.code ?? "")}::text[],
        ${leaving.map((one) => one.checkAt?.toISOString() ?? "")}::text[]
      ) AS e (id, to_status, reason, code, check_at)
      WHERE r.id = e.id AND ${bound}
      RETURNING r.*, nullif(e.code, '') AS code
    ), events AS (
      INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason, detail)
      SELECT id, ${at}, 'submitted', status, reason, jsonb_strip_nulls(jsonb_build_object('resultCode', code))
      FROM gone
    ), usage AS (
      UPDATE campaign_wallet_usage u SET used_stroops = used_stroops - s.stroops
      FROM (
        SELECT campaign_id, wallet_account, cap_period_start, sum(amount_stroops)::bigint AS stroops
        FROM gone WHERE status = 'failed' AND cap_period_start IS NOT NULL GROUP BY 1, 2, 3
      ) s
      WHERE (u.campaign_id, u.wallet_account, u.period_start) = (s.campaign_id, s.wallet_account, s.cap_period_start)
    )
    UPDATE campaigns c SET reserved_stroops = reserved_stroops - s.stroops, updated_at = ${at}
    FROM (
      SELECT campaign_id, sum(amount_stroops)::bigint AS stroops FROM gone WHERE status = 'failed' GROUP BY 1
    ) s
    WHERE c.id = s.campaign_id`
}, Effect.orDie)
