import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import { withLayer } from "../support/it.ts"
import { issueOrCode, layer, newCampaign, request } from "./IssuancesHarness.ts"

const { effect, live } = withLayer(layer)

const CAP = { amountStroops: 10n, period: "campaign" } as const

/** A reward of 6 stroops under a cap of 10. */
const accepted = Effect.gen(function* () {
  const { campaignId, owner } = yield* newCampaign(100n, { walletCap: CAP })
  const { issuanceId } = yield* issueOrCode(owner, request(campaignId, { amountStroops: 6n }))
  return { owner, campaignId, issuanceId }
})

const hold = Effect.fnUntraced(function* (id: string, reason: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE reward_issuances SET status = 'held', reason = ${reason} WHERE id = ${id}`
})

const outcome = <A, R>(end: Effect.Effect<A, { readonly code: string; readonly message: string }, R>) =>
  Effect.match(end, { onFailure: ({ code, message }) => `${code}: ${message}`, onSuccess: () => "done" })

const booked = Effect.fnUntraced(function* (campaignId: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ reserved: bigint; used: bigint }>`
    SELECT reserved_stroops AS reserved, used_stroops AS used FROM campaigns c
    JOIN campaign_wallet_usage u ON u.campaign_id = c.id WHERE c.id = ${campaignId}`
  return row
})

effect("a cancelled reward gives back what it held of budget and cap, and its key stays taken", () =>
  Effect.gen(function* () {
    const { campaignId, issuanceId, owner } = yield* accepted
    const issuances = yield* Issuances
    expect(yield* booked(campaignId)).toEqual({ reserved: 6n, used: 6n })
    const again = request(campaignId, { amountStroops: 6n })
    expect((yield* issueOrCode(owner, again)).code).toBe("campaign.wallet_cap_reached")
    yield* issuances.cancel(owner, issuanceId)
    expect(yield* booked(campaignId)).toEqual({ reserved: 0n, used: 0n })
    const { issuance, timeline } = yield* issuances.get(owner, issuanceId)
    expect([issuance.status, issuance.reason]).toEqual(["cancelled", null])
    expect(timeline.at(-1)).toMatchObject({ from: "pending", to: "cancelled", reason: "by_request" })
    const repeated = request(campaignId, { amountStroops: 6n, idempotencyKey: issuance.idempotencyKey })
    expect(yield* issueOrCode(owner, repeated)).toMatchObject({ accepted: false, status: "cancelled" })
    expect((yield* issueOrCode(owner, again)).code).toBe("issued")
  }),
)

effect("a held reward is pending again, or cancelled", () =>
  Effect.gen(function* () {
    const { campaignId, issuanceId, owner } = yield* accepted
    const issuances = yield* Issuances
    yield* hold(issuanceId, "no_trustline")
    yield* issuances.retry(owner, issuanceId)
    const { issuance, timeline } = yield* issuances.get(owner, issuanceId)
    expect([issuance.status, issuance.reason]).toEqual(["pending", null])
    expect(timeline.at(-1)).toMatchObject({ from: "held", to: "pending", reason: "by_request" })
    expect(yield* booked(campaignId)).toEqual({ reserved: 6n, used: 6n })
    yield* hold(issuanceId, "no_trustline")
    yield* issuances.cancel(owner, issuanceId)
    expect(yield* booked(campaignId)).toEqual({ reserved: 0n, used: 0n })
  }),
)

effect("elsewhere neither is possible, and the refusal names the status", () =>
  Effect.gen(function* () {
    const { campaignId, issuanceId, owner } = yield* accepted
    const issuances = yield* Issuances
    const sql = yield* SqlClient.SqlClient
    const cancel = outcome(issuances.cancel(owner, issuanceId))
    const retry = outcome(issuances.retry(owner, issuanceId))
    expect(yield* retry).toBe(
      "issuance.state_conflict: The issuance is pending: only one that is held can be tried again.",
    )
    yield* sql`UPDATE reward_issuances SET status = 'failed', reason = 'no_account' WHERE id = ${issuanceId}`
    expect(yield* cancel).toBe(
      "issuance.state_conflict: The issuance is failed (no_account): only one that is pending or held can be cancelled.",
    )
    expect(yield* retry).toContain("is failed (no_account)")
    yield* sql`UPDATE reward_issuances SET status = 'cancelled', reason = NULL WHERE id = ${issuanceId}`
    expect(yield* cancel).toContain("The issuance is cancelled:")
    expect(yield* booked(campaignId)).toEqual({ reserved: 6n, used: 6n })
  }),
)

effect(
  "under review nothing is decided by the merchant, and in a paused campaign nothing is tried again",
  () =>
    Effect.gen(function* () {
      const { campaignId, issuanceId, owner } = yield* accepted
      const issuances = yield* Issuances
      yield* hold(issuanceId, "under_review")
      expect(yield* outcome(issuances.cancel(owner, issuanceId))).toContain("held (under_review)")
      expect(yield* outcome(issuances.retry(owner, issuanceId))).toContain("held (under_review)")
      yield* hold(issuanceId, "no_trustline")
      yield* (yield* Campaigns).change(owner, campaignId, { status: "paused" })
      expect(yield* outcome(issuances.retry(owner, issuanceId))).toContain("its campaign is paused")
      expect(yield* outcome(issuances.cancel(owner, issuanceId))).toBe("done")
    }),
)

live("of many that cancel one reward at once, one does", () =>
  Effect.gen(function* () {
    const { campaignId, issuanceId, owner } = yield* accepted
    const issuances = yield* Issuances
    const outcomes = yield* Effect.all(
      Array.from({ length: 8 }, () => outcome(issuances.cancel(owner, issuanceId))),
      { concurrency: "unbounded" },
    )
    expect(outcomes.filter((each) => each === "done").length).toBe(1)
    expect(yield* booked(campaignId)).toEqual({ reserved: 0n, used: 0n })
  }),
)
