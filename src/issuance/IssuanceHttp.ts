/** Handlers of the reward routes: one call of the service each. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { idempotencyKeyOf } from "../api/Idempotency.ts"
import { pageRequest } from "../api/Lists.ts"
import { NovaApi } from "../api/NovaApi.ts"
import { asProblem } from "../api/Problems.ts"
import { formatAmount } from "../kernel/Amount.ts"
import { CurrentOwner } from "../merchant/Owner.ts"
import { Issuances } from "./Issuances.ts"
import type { IssuanceView } from "./IssuanceView.ts"

/** The fields of the request that each refusal speaks of. */
const params = {
  "campaign.not_found": "campaignId",
  "campaign.not_active": "campaignId",
  "campaign.budget_exhausted": "amount",
  "idempotency.key_reused": "idempotencyKey",
  "issuance.wallet_not_payable": "walletAddress",
} as const

const toJson = (issuance: IssuanceView) => ({
  id: issuance.id,
  status: issuance.status,
  reason: issuance.reason,
  amount: formatAmount(issuance.amountStroops),
  walletAddress: issuance.walletAddress,
  campaignId: issuance.campaignId,
  userId: issuance.userId,
  idempotencyKey: issuance.idempotencyKey,
  createdAt: issuance.createdAt,
  updatedAt: issuance.updatedAt,
  confirmedAt: issuance.confirmedAt,
  txHash: issuance.txHash,
  ledger: issuance.ledger === null ? null : Number(issuance.ledger),
  operationIndex: issuance.operationIndex,
})

export const layer = HttpApiBuilder.group(
  NovaApi,
  "rewards",
  Effect.fnUntraced(function* (handlers) {
    const issuances = yield* Issuances
    return handlers.handleAll({
      issue: Effect.fnUntraced(function* ({ payload, headers }) {
        const { amount: amountStroops, walletAddress, campaignId, userId } = payload
        const idempotencyKey = yield* idempotencyKeyOf(payload.idempotencyKey, headers["idempotency-key"])
        const { issuanceId, status, accepted } = yield* issuances
          .issue(yield* CurrentOwner, { idempotencyKey, walletAddress, amountStroops, campaignId, userId })
          .pipe(Effect.catch(asProblem(params)))
        // Both answers have one shape, so the status is set here: 202 only for the request that was accepted.
        return HttpServerResponse.jsonUnsafe({ issuanceId, status }, { status: accepted ? 202 : 200 })
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
        return { data: page.data.map(toJson), has_more: page.hasMore }
      }),
      get: Effect.fnUntraced(function* (request) {
        const found = yield* issuances
          .get(yield* CurrentOwner, request.params.id)
          .pipe(Effect.catch(asProblem({ "issuance.not_found": "id" })))
        return { ...toJson(found.issuance), timeline: found.timeline }
      }),
    })
  }),
)
