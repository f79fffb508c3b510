/**
 * Changes of a campaign by its merchant, each in one transaction that holds the campaign's lock: whoever accepts or
 * settles its rewards waits, so a change is either before or after them.
 *
 * Pausing moves the campaign's pending rewards to `held` (campaign_paused); leaving the pause, to `active` or to
 * `ended`, moves them back, because they were promised. What is in flight finishes. Rewards that are pending when their
 * campaign ends are paid.
 *
 * The first `MOVED_AT_ONCE` rewards move in the transaction of the change, the rest in transactions of their own, so
 * that a campaign with a million of them can be paused at all. If that breaks off, the campaign is paused and some of its
 * rewards are still pending: stating the same status again moves them.
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

/** More would hold the campaign, and whoever accepts or settles its rewards, for longer than a second or so. */
const MOVED_AT_ONCE = 10_000

export const makeChange = (sql: SqlClient.SqlClient, movedAtOnce = MOVED_AT_ONCE) => {
  const pause = (campaignId: string, at: Date) => sql`
    WITH held AS (
      UPDATE reward_issuances SET status = 'held', reason = 'campaign_paused', held_check_at = NULL, updated_at = ${at}
      WHERE id IN (
        SELECT id FROM reward_issuances WHERE campaign_id = ${campaignId} AND status = 'pending'
        ORDER BY id LIMIT ${movedAtOnce} FOR NO KEY UPDATE
      ) RETURNING id
    )
    INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
    SELECT id, ${at}, 'pending', 'held', 'campaign_paused' FROM held RETURNING issuance_id`

  const resume = (campaignId: string, at: Date, to: CampaignStatus) => sql`
    WITH freed AS (
      UPDATE reward_issuances SET status = 'pending', reason = NULL, updated_at = ${at}
      WHERE id IN (
        SELECT id FROM reward_issuances
        WHERE campaign_id = ${campaignId} AND status = 'held' AND reason = 'campaign_paused'
        ORDER BY id LIMIT ${movedAtOnce} FOR NO KEY UPDATE
      ) RETURNING id
    )
    INSERT INTO issuance_events (issuance_id, at, from_status, to_status, reason)
    SELECT id, ${at}, 'held', 'pending', ${`campaign_${to}`} FROM freed RETURNING issuance_id`

  const find = (owner: Owner, id: string) => sql<Campaign>`
    SELECT ${campaignColumns(sql)} FROM campaigns WHERE id = ${id} AND ${ownedBy(sql, owner)} FOR NO KEY UPDATE`

  /** Moves the rewards to where the campaign's status wants them; true when there may be more. */
  const move = ({ id, status }: Campaign, at: Date) =>
    Effect.map(
      status === "paused" ? pause(id, at) : resume(id, at, status),
      (moved) => moved.length === movedAtOnce,
    )

  const changeAndMove = Effect.fnUntraced(function* (
    owner: Owner,
    id: string,
    change: CampaignChange,
    at: Date,
  ) {
    const [campaign] = yield* find(owner, id)
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
    if (changed === undefined) return yield* Effect.die(new Error("a locked campaign is gone"))
    return { changed, isMoreToMove: change.status !== undefined && (yield* move(changed, at)) }
  }, sql.withTransaction)

  const moveOn = Effect.fnUntraced(function* (owner: Owner, changed: Campaign, at: Date) {
    const [campaign] = yield* find(owner, changed.id)
    // Somebody has changed the status meanwhile, and moves the rewards.
    return campaign?.status === changed.status && (yield* move(campaign, at))
  }, sql.withTransaction)

  return Effect.fn("Campaigns.change")(
    function* (owner: Owner, id: string, change: CampaignChange) {
      const at = new Date(yield* Clock.currentTimeMillis)
      const { changed, isMoreToMove } = yield* changeAndMove(owner, id, change, at)
      let isMore = isMoreToMove
      while (isMore) isMore = yield* moveOn(owner, changed, at)
      return changed
    },
    Effect.catchTag("SqlError", (error) => Effect.die(error)),
  )
}
