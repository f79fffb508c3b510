/** Handlers of the reward routes: they call the service, and wait where a route waits. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { idempotencyKeyOf } from "../api/Idempotency.ts"
import { pageRequest } from "../api/Lists.ts"
import { NovaApi } from "../api/NovaApi.ts"
import { preferredWaitS, WAIT_S_DEFAULT } from "../api/Prefer.ts"
import { asProblem } from "../api/Problems.ts"
import type { IssueReward } from "../api/Rewards.ts"
import { CurrentOwner } from "../merchant/Owner.ts"
import { issuanceJson, timelineJson } from "./IssuanceJson.ts"
import { Issuances, type IssueOptions } from "./Issuances.ts"
import { IssuanceWaits, isAtRest } from "./IssuanceWaits.ts"
import { issueItems } from "./IssueBatchHttp.ts"

/** The fields of the request that each refusal speaks of. */
const params = {
  "campaign.not_found": "campaignId",
  "campaign.not_active": "campaignId",
  "campaign.budget_exhausted": "amount",
  "campaign.wallet_cap_reached": "amount",
  "idempotency.key_reused": "idempotencyKey",
  "issuance.wallet_not_payable": "walletAddress",
} as const

const makeIssue = (issuances: Issuances["Service"]) =>
  Effect.fnUntraced(function* (
    { amount: amountStroops, idempotencyKey: inBody, ...rest }: typeof IssueReward.Type,
    inHeader: string | undefined,
    options?: IssueOptions,
  ) {
    const idempotencyKey = yield* idempotencyKeyOf(inBody, inHeader)
    return yield* issuances
      .issue(yield* CurrentOwner, { ...rest, idempotencyKey, amountStroops }, options)
      .pipe(Effect.catch(asProblem(params)))
  })

export const layer = HttpApiBuilder.group(
  NovaApi,
  "rewards",
  Effect.fnUntraced(function* (handlers) {
    const issuances = yield* Issuances
    const waits = yield* IssuanceWaits
    const issue = makeIssue(issuances)
    return handlers.handleAll({
      issue: Effect.fnUntraced(function* ({ payload, headers }) {
        const { issuanceId, status, accepted } = yield* issue(payload, headers["idempotency-key"])
        // Both answers have one shape, so the status is set here: 202 only for the request that was accepted.
        return HttpServerResponse.jsonUnsafe({ issuanceId, status }, { status: accepted ? 202 : 200 })
      }),
      distribute: Effect.fnUntraced(function* ({ payload, headers }) {
        const issued = yield* issue(payload, headers["idempotency-key"], { priority: "high" })
        const asked = preferredWaitS(headers.prefer)
        if (!isAtRest(issued.status))
          yield* Effect.timeoutOption(waits.rest(issued.issuanceId), `${asked ?? WAIT_S_DEFAULT} seconds`)
        const found = yield* Effect.orDie(issuances.get(yield* CurrentOwner, issued.issuanceId))
        return HttpServerResponse.jsonUnsafe(timelineJson(found), {
          status: isAtRest(found.issuance.status) ? 200 : 202,
          headers: {
            ...(asked === undefined ? {} : { "preference-applied": `wait=${asked}` }),
            ...(issued.accepted ? {} : { "idempotent-replayed": "true" }),
          },
        })
      }),
      issueBatch: Effect.fnUntraced(function* ({ payload }) {
        return { results: yield* issueItems(issuances, yield* CurrentOwner, payload.items, params) }
      }),
      list: Effect.fnUntraced(function* ({ query }) {
        const page = yield* issuances.list(
          yield* CurrentOwner,
          {
            status: query.status,
            campaignId: query.campaignId,
            walletAddress: query.walletAddress,
            createdAfter: query.created_after,
            createdBefore: query.created_before,
          },
          yield* pageRequest(query),
        )
        return { data: page.data.map(issuanceJson), has_more: page.hasMore }
      }),
      get: Effect.fnUntraced(function* (request) {
        const found = yield* issuances
          .get(yield* CurrentOwner, request.params.id)
          .pipe(Effect.catch(asProblem({ "issuance.not_found": "id" })))
        return timelineJson(found)
      }),
      change: Effect.fnUntraced(function* (request) {
        const owner = yield* CurrentOwner
        const { id } = request.params
        const found = yield* issuances[request.payload.action](owner, id).pipe(
          Effect.andThen(issuances.get(owner, id)),
          Effect.catch(asProblem({ "issuance.not_found": "id", "issuance.state_conflict": "action" })),
        )
        return timelineJson(found)
      }),
    })
  }),
)
