/** Handlers of the campaign routes: one call of the service each. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { pageRequest } from "../api/Lists.ts"
import { NovaApi } from "../api/NovaApi.ts"
import { asProblem } from "../api/Problems.ts"
import { formatAmount } from "../kernel/Amount.ts"
import { CurrentOwner } from "../merchant/Owner.ts"
import { type Campaign, remainingStroops } from "./Campaign.ts"
import { Campaigns } from "./Campaigns.ts"

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
  createdAt: campaign.createdAt,
})

export const layer = HttpApiBuilder.group(
  NovaApi,
  "campaigns",
  Effect.fnUntraced(function* (handlers) {
    const campaigns = yield* Campaigns
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const { name, budget, startsAt, endsAt } = payload
        const created = yield* campaigns
          .create(yield* CurrentOwner, { name, budgetStroops: budget, startsAt, endsAt })
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
    })
  }),
)
