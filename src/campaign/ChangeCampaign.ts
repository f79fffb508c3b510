/**
 * Changes of a campaign by its merchant, each in one transaction that holds the campaign's lock: whoever accepts or
 * settles its rewards waits, so a change is either before or after them.
 *
 * Pausing moves the campaign's pending rewards to `held` (campaign_paused); leaving the pause, to `active` or to
 * `ended`, moves them back, because they were promised. What is in flight finishes. Rewards that are pending when their
 * campaign ends are paid.
 */
import { Clock, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { formatAmount } from "../kernel/Amount.ts"
import type { Owner } from "../merchant/Owner.ts"
import type { Campaign, CampaignStatus } from "./Campaign.ts"
import {
  CampaignBudgetBelowPromised,
  CampaignDatesReversed,
  CampaignEnded,
  CampaignNotFound,
} from "./CampaignErrors.ts"
import { campaignColumns, ownedBy } from "./CampaignRows.ts"

/** What is absent stays as it is. */
export interface CampaignChange {
  readonly name?: string | undefined
  /** Exclusive; null: for ever. */
  readonly endsAt?: Date | null | undefined
  readonly budgetStroops?: bigint | undefined
  readonly status?: CampaignStatus | undefined
}

export type ChangeError =
  | CampaignNotFound
  | CampaignDatesReversed
  | CampaignBudgetBelowPromised
  | CampaignEnded

/** Why the campaign cannot be changed so; undefined when it can. */
const reasonAgainst = (
  campaign: Campaign,
  change: CampaignChange,
): Exclude<ChangeError, CampaignNotFound> | undefined => {
  const { budgetStroops, endsAt = null, status = campaign.status } = change
  if (campaign.status === "ended" && status !== "ended")
    return new CampaignEnded({ message: "The campaign has ended, and an ended campaign stays ended." })
  if (endsAt !== null && endsAt <= campaign.startsAt)
    return new CampaignDatesReversed({ message: "The campaign must end after it starts." })
  const promised = campaign.reservedStroops + campaign.spentStroops
  if (budgetStroops !== undefined && budgetStroops < promised)
    return new CampaignBudgetBelowPromised({
      message: `${formatAmount(promised)} are promised or paid already: the budget cannot be less.`,
    })
  return undefined
}

export const makeChange = (sql: SqlClient.SqlClient) => {
  const pause = (campaignId: string, at: Date) => sql`
    WITH held AS (
      UPDATE reward_issuances SET status = 'held', reason = 'campaign_paused', held_check_at = NULL, updated_at = ${at}
      WHERE campaign_id = ${campaignId} AND status = 'pending' RETURNING id
    )
    INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
    SELECT id, ${at}, 'pending', 'held', 'campaign_paused' FROM held`

  const resume = (campaignId: string, at: Date, to: CampaignStatus) => sql`
    WITH freed AS (
      UPDATE reward_issuances SET status = 'pending', reason = NULL, updated_at = ${at}
      WHERE campaign_id = ${campaignId} AND status = 'held' AND reason = 'campaign_paused' RETURNING id
    )
    INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
    SELECT id, ${at}, 'held', 'pending', ${`campaign_${to}`} FROM freed`

  return Effect.fn("Campaigns.change")(
    function* (owner: Owner, id: string, change: CampaignChange) {
      const at = new Date(yield* Clock.currentTimeMillis)
      const [campaign] = yield* sql<Campaign>`
        SELECT ${campaignColumns(sql)} FROM campaigns WHERE id = ${id} AND ${ownedBy(sql, owner)}
        FOR NO KEY UPDATE`
      if (campaign === undefined)
        return yield* new CampaignNotFound({ message: "There is no campaign with this id." })
      const refusal = reasonAgainst(campaign, change)
      if (refusal !== undefined) return yield* refusal
      const { name = campaign.name, status = campaign.status } = change
      const endsAt = change.endsAt === undefined ? campaign.endsAt : change.endsAt
      const budgetStroops = change.budgetStroops ?? campaign.budgetStroops
      const [changed] = yield* sql<Campaign>`
        UPDATE campaigns SET name = ${name}, ends_at = ${endsAt}::timestamptz, budget_stroops = ${budgetStroops},
          status = ${status}, updated_at = ${at}
        WHERE id = ${id} RETURNING ${campaignColumns(sql)}`
      if (campaign.status !== status && status === "paused") yield* pause(id, at)
      if (campaign.status !== status && campaign.status === "paused") yield* resume(id, at, status)
      return yield* Effect.fromNullishOr(changed).pipe(Effect.orDie)
    },
    sql.withTransaction,
    Effect.catchTag("SqlError", (error) => Effect.die(error)),
  )
}
