/** Handlers of the campaign routes: one call of the service each. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { pageRequest } from "../api/Lists.ts"
import { NovaApi } from "../api/NovaApi.ts"
import { asProblem } from "../api/Problems.ts"
import { formatAmount } from "../kernel/Amount.ts"
import { CurrentOwner } from "../merchant/Owner.ts"
import { type Campaign, remainingStroops, SECONDS_PER_DAY } from "./Campaign.ts"
import { Campaigns } from "./Campaigns.ts"

const walletCapOf = ({ walletCapPeriod, walletCapStroops }: Campaign) =>
  walletCapPeriod === null || walletCapStroops === null
    ? null
    : { amount: formatAmount(walletCapStroops), period: walletCapPeriod }

const toJson = (campaign: Campaign) => ({
  id: campaign.id,
  name: campaign.name,
  status: campaign.status,
  startsAt: campaign.startsAt,
  endsAt: campaign.endsAt,
  budget: formatAmount(campaign.budgetStroops),
  reserved: formatAmount(campaign.reservedStroops),
  spent: formatAmount(campaign.spentStroops),
  remaining: formatAmount(remainingStroops(campaign)),
  onMissingTrustline: campaign.onMissingTrustline,
  reclaimAfterDays:
    campaign.onMissingTrustline === "claimable_balance"
      ? Number(campaign.reclaimAfterS) / SECONDS_PER_DAY
      : null,
  walletCap: walletCapOf(campaign),
  createdAt: campaign.createdAt,
})

/** The fields of a change that each refusal speaks of. */
const changeParams = {
  "campaign.not_found": "id",
  "campaign.dates_reversed": "endsAt",
  "campaign.budget_below_promised": "budget",
  "campaign.ended": "status",
} as const

export const layer = HttpApiBuilder.group(
  NovaApi,
  "campaigns",
  Effect.fnUntraced(function* (handlers) {
    const campaigns = yield* Campaigns
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const { budget, walletCap, ...rest } = payload
        const created = yield* campaigns
          .create(yield* CurrentOwner, {
            ...rest,
            budgetStroops: budget,
            walletCap: walletCap && { amountStroops: walletCap.amount, period: walletCap.period },
          })
          .pipe(Effect.catch(asProblem({ "campaign.dates_reversed": "endsAt" })))
        return toJson(created)
      }),
      list: Effect.fnUntraced(function* ({ query }) {
        const page = yield* campaigns.list(
          yield* CurrentOwner,
          { status: query.status },
          yield* pageRequest(query),
        )
        return { data: page.data.map(toJson), has_more: page.hasMore }
      }),
      get: Effect.fnUntraced(function* ({ params }) {
        const campaign = yield* campaigns
          .get(yield* CurrentOwner, params.id)
          .pipe(Effect.catch(asProblem({ "campaign.not_found": "id" })))
        return toJson(campaign)
      }),
      change: Effect.fnUntraced(function* ({ params, payload }) {
        const { budget, ...rest } = payload
        const changed = yield* campaigns
          .change(yield* CurrentOwner, params.id, { ...rest, budgetStroops: budget })
          .pipe(Effect.catch(asProblem(changeParams)))
        return toJson(changed)
      }),
    })
  }),
)
