/** Campaigns of a merchant. `openBook` is the only way to promise money, and joins the caller's transaction. */
import { Clock, Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { makeId } from "../kernel/Ids.ts"
import { type Page, type PageRequest, pageOf, rowsToFetch } from "../kernel/Page.ts"
import type { Owner } from "../merchant/Owner.ts"
import type { PromiseRequest } from "./BudgetBook.ts"
import {
  type Campaign,
  type CampaignStatus,
  type OnMissingTrustline,
  RECLAIM_AFTER_DAYS_DEFAULT,
  SECONDS_PER_DAY,
} from "./Campaign.ts"
import { CampaignDatesReversed, CampaignNotFound } from "./CampaignErrors.ts"
import { campaignColumns, ownedBy } from "./CampaignRows.ts"
import type { CapPeriod } from "./CapPeriod.ts"
import { type CampaignChange, type ChangeError, makeChange } from "./ChangeCampaign.ts"
import { makeOpenBook, type OpenBook } from "./OpenBook.ts"

export interface NewCampaign {
  readonly name: string
  readonly budgetStroops: bigint
  /** From now when absent. */
  readonly startsAt?: Date | undefined
  /** Exclusive; for ever when absent. */
  readonly endsAt?: Date | undefined
  /** Fails the reward when absent. */
  readonly onMissingTrustline?: OnMissingTrustline | undefined
  /** Whole days until an unclaimed balance is taken back, 1-3650; 30 when absent. */
  readonly reclaimAfterDays?: number | undefined
  /** The most that one account may get in each period; it stays as it is. */
  readonly walletCap?: { readonly amountStroops: bigint; readonly period: CapPeriod } | undefined
}

export interface CampaignFilter {
  readonly status?: CampaignStatus | undefined
}

export class Campaigns extends Context.Service<
  Campaigns,
  {
    /** Fails when `endsAt` is not after the start. Moves no value. */
    readonly create: (owner: Owner, campaign: NewCampaign) => Effect.Effect<Campaign, CampaignDatesReversed>
    readonly get: (owner: Owner, id: string) => Effect.Effect<Campaign, CampaignNotFound>
    /** Newest first. */
    readonly list: (owner: Owner, filter: CampaignFilter, page: PageRequest) => Effect.Effect<Page<Campaign>>
    /** Changes name, end, budget or status. Pausing holds the campaign's pending rewards, resuming frees them. */
    readonly change: (
      owner: Owner,
      id: string,
      change: CampaignChange,
    ) => Effect.Effect<Campaign, ChangeError>
    /**
     * Locks the campaigns of these requests until the caller's transaction ends, and answers with the book that
     * promises their money. The only way to promise any.
     */
    readonly openBook: (requests: ReadonlyArray<PromiseRequest>) => Effect.Effect<OpenBook>
  }
>()("nova/campaign/Campaigns") {
  static readonly layer = Layer.effect(
    Campaigns,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const random = yield* SecureRandom.SecureRandom

      const columns = campaignColumns(sql)
      const owned = (owner: Owner) => ownedBy(sql, owner)

      const create = Effect.fn("Campaigns.create")(function* (owner: Owner, campaign: NewCampaign) {
        const now = new Date(yield* Clock.currentTimeMillis)
        const startsAt = campaign.startsAt ?? now
        const { endsAt = null, onMissingTrustline = "fail" } = campaign
        const { reclaimAfterDays = RECLAIM_AFTER_DAYS_DEFAULT } = campaign
        if (endsAt !== null && endsAt <= startsAt)
          return yield* new CampaignDatesReversed({ message: "The campaign must end after it starts." })
        const id = yield* makeId("cmp").pipe(Effect.provideService(SecureRandom.SecureRandom, random))
        const rows = yield* sql<Campaign>`
          INSERT INTO campaigns (id, merchant_id, mode, name, status, starts_at, ends_at, budget_stroops,
            on_missing_trustline, reclaim_after_s, wallet_cap_stroops, wallet_cap_period, created_at, updated_at)
          VALUES (${id}, ${owner.merchantId}, ${owner.mode}, ${campaign.name}, 'active', ${startsAt}, ${endsAt},
            ${campaign.budgetStroops}, ${onMissingTrustline}, ${reclaimAfterDays * SECONDS_PER_DAY},
            ${campaign.walletCap?.amountStroops ?? null}, ${campaign.walletCap?.period ?? null}, ${now}, ${now})
          RETURNING ${columns}`.pipe(Effect.orDie)
        return yield* Effect.fromNullishOr(rows[0]).pipe(Effect.orDie)
      })

      const find = (owner: Owner, id: string) =>
        sql<Campaign>`SELECT ${columns} FROM campaigns WHERE id = ${id} AND ${owned(owner)}`.pipe(
          Effect.orDie,
          Effect.flatMap(([campaign]) =>
            campaign === undefined
              ? Effect.fail(new CampaignNotFound({ message: "There is no campaign with this id." }))
              : Effect.succeed(campaign),
          ),
        )

      const get = Effect.fn("Campaigns.get")(find)

      const list = Effect.fn("Campaigns.list")(function* (
        owner: Owner,
        filter: CampaignFilter,
        page: PageRequest,
      ) {
        const conditions = [owned(owner)]
        if (filter.status !== undefined) conditions.push(sql`status = ${filter.status}`)
        if (page.startingAfter !== undefined) conditions.push(sql`id < ${page.startingAfter}`)
        if (page.endingBefore !== undefined) conditions.push(sql`id > ${page.endingBefore}`)
        const order = page.endingBefore === undefined ? sql`id DESC` : sql`id ASC`
        const rows = yield* sql<Campaign>`
          SELECT ${columns} FROM campaigns WHERE ${sql.and(conditions)}
          ORDER BY ${order} LIMIT ${rowsToFetch(page)}`
        return pageOf(rows, page)
      }, Effect.orDie)

      return Campaigns.of({ create, get, list, change: makeChange(sql), openBook: makeOpenBook(sql) })
    }),
  )
}
