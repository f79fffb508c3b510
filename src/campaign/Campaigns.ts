/** Campaigns of a merchant. `reserve` is the only way to promise money, and joins the caller's transaction. */
import { Clock, Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { formatAmount } from "../kernel/Amount.ts"
import { makeId } from "../kernel/Ids.ts"
import { type Page, type PageRequest, pageOf, rowsToFetch } from "../kernel/Page.ts"
import type { Owner } from "../merchant/Owner.ts"
import { type Campaign, type CampaignStatus, reasonNotActive, remainingStroops } from "./Campaign.ts"
import {
  CampaignBudgetExhausted,
  CampaignDatesReversed,
  CampaignNotActive,
  CampaignNotFound,
} from "./CampaignErrors.ts"

export interface NewCampaign {
  readonly name: string
  readonly budgetStroops: bigint
  /** From now when absent. */
  readonly startsAt?: Date | undefined
  /** Exclusive; for ever when absent. */
  readonly endsAt?: Date | undefined
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
    /**
     * Promises `amountStroops` of the campaign's budget, if it is active at `at` and has that much left. Belongs
     * into the transaction that accepts the issuance, as its last statement: the campaign's row stays locked
     * until commit.
     */
    readonly reserve: (
      owner: Owner,
      reservation: { readonly campaignId: string; readonly amountStroops: bigint; readonly at: Date },
    ) => Effect.Effect<void, CampaignNotFound | CampaignNotActive | CampaignBudgetExhausted>
  }
>()("nova/campaign/Campaigns") {
  static readonly layer = Layer.effect(
    Campaigns,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const random = yield* SecureRandom.SecureRandom

      const columns = sql`
        id, name, status, starts_at AS "startsAt", ends_at AS "endsAt", budget_stroops AS "budgetStroops",
        reserved_stroops AS "reservedStroops", spent_stroops AS "spentStroops", created_at AS "createdAt"`
      const owned = (owner: Owner) => sql`merchant_id = ${owner.merchantId} AND mode = ${owner.mode}`

      const create = Effect.fn("Campaigns.create")(function* (owner: Owner, campaign: NewCampaign) {
        const now = new Date(yield* Clock.currentTimeMillis)
        const startsAt = campaign.startsAt ?? now
        const endsAt = campaign.endsAt ?? null
        if (endsAt !== null && endsAt <= startsAt)
          return yield* new CampaignDatesReversed({ message: "The campaign must end after it starts." })
        const id = yield* makeId("cmp").pipe(Effect.provideService(SecureRandom.SecureRandom, random))
        const rows = yield* sql<Campaign>`
          INSERT INTO campaigns (id, merchant_id, mode, name, status, starts_at, ends_at, budget_stroops,
            created_at, updated_at)
          VALUES (${id}, ${owner.merchantId}, ${owner.mode}, ${campaign.name}, 'active', ${startsAt}, ${endsAt},
            ${campaign.budgetStroops}, ${now}, ${now})
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

      const reserve = Effect.fn("Campaigns.reserve")(function* (
        owner: Owner,
        {
          campaignId,
          amountStroops,
          at,
        }: {
          readonly campaignId: string
          readonly amountStroops: bigint
          readonly at: Date
        },
      ) {
        // The guard subtracts instead of adding: a sum could leave the range of bigint.
        const reserved = yield* sql`
          UPDATE campaigns SET reserved_stroops = reserved_stroops + ${amountStroops}, updated_at = ${at}
          WHERE id = ${campaignId} AND ${owned(owner)} AND status = 'active' AND starts_at <= ${at}
            AND (ends_at IS NULL OR ends_at > ${at})
            AND ${amountStroops} <= budget_stroops - reserved_stroops - spent_stroops
          RETURNING id`.pipe(Effect.orDie)
        if (reserved.length > 0) return
        const campaign = yield* find(owner, campaignId)
        const reason = reasonNotActive(campaign, at)
        if (reason !== undefined) return yield* new CampaignNotActive({ message: reason })
        return yield* new CampaignBudgetExhausted({
          message: `The campaign has ${formatAmount(remainingStroops(campaign))} left to promise, less than this reward.`,
        })
      })

      return Campaigns.of({ create, get, list, reserve })
    }),
  )
}
