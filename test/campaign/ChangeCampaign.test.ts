import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { makeChange } from "../../src/campaign/ChangeCampaign.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import { issueOrCode, layer, newCampaign, request } from "../issuance/IssuancesHarness.ts"
import { withLayer } from "../support/it.ts"

const { effect, live } = withLayer(layer)

const codeOf = <A, R>(change: Effect.Effect<A, { readonly code: string }, R>) =>
  Effect.match(change, { onFailure: (error) => error.code, onSuccess: () => "changed" })

effect("what is absent stays, and null takes the end away", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(100n)
    const campaigns = yield* Campaigns
    const before = yield* campaigns.get(owner, campaignId)
    const endsAt = new Date(Date.UTC(2999, 0))
    expect(yield* campaigns.change(owner, campaignId, { endsAt })).toEqual({ ...before, endsAt })
    expect(yield* campaigns.change(owner, campaignId, { name: "Winter", budgetStroops: 7n })).toEqual({
      ...before,
      endsAt,
      name: "Winter",
      budgetStroops: 7n,
    })
    yield* campaigns.change(owner, campaignId, { endsAt: null })
    expect((yield* campaigns.get(owner, campaignId)).endsAt).toBeNull()
  }),
)

effect("the budget covers what is promised and paid, to the stroop", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(100n)
    const campaigns = yield* Campaigns
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE campaigns SET reserved_stroops = 30, spent_stroops = 20 WHERE id = ${campaignId}`
    const budget = (budgetStroops: bigint) => codeOf(campaigns.change(owner, campaignId, { budgetStroops }))
    expect(yield* budget(49n)).toBe("campaign.budget_below_promised")
    expect(yield* budget(50n)).toBe("changed")
    expect(yield* budget(9_223_372_036_854_775_807n)).toBe("changed")
  }),
)

effect("it ends after it starts, and an ended campaign stays ended", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(100n)
    const campaigns = yield* Campaigns
    const { startsAt } = yield* campaigns.get(owner, campaignId)
    const change = (fields: Parameters<typeof campaigns.change>[2]) =>
      codeOf(campaigns.change(owner, campaignId, fields))
    expect(yield* change({ endsAt: startsAt })).toBe("campaign.dates_reversed")
    expect(yield* change({ status: "ended" })).toBe("changed")
    for (const status of ["active", "paused"] as const)
      expect(yield* change({ status })).toBe("campaign.ended")
    expect(yield* change({ status: "ended", name: "Old" })).toBe("changed")
  }),
)

const statesOf = (campaignId: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ state: string }>`
      SELECT status || coalesce(' ' || reason, '') AS state FROM reward_issuances
      WHERE campaign_id = ${campaignId} ORDER BY idempotency_key`,
  ).pipe(Effect.map((rows) => rows.map(({ state }) => state)))

/** A campaign with a pending reward, one held by itself, one in flight and one that failed. */
const withRewards = Effect.gen(function* () {
  const { campaignId, owner } = yield* newCampaign(100n)
  const sql = yield* SqlClient.SqlClient
  for (const idempotencyKey of ["a", "b", "c", "d"])
    yield* issueOrCode(owner, request(campaignId, { amountStroops: 1n, idempotencyKey }))
  const channel = 1 + (yield* sql`SELECT id FROM channel_accounts`).length
  yield* sql`
    INSERT INTO channel_accounts (id, address, status, sequence_signed, sequence_claimed, created_at, updated_at)
    VALUES (${channel}, ${`G${channel}`}, 'open', 1, 1, ${new Date(0)}, ${new Date(0)})`
  const mine = sql`campaign_id = ${campaignId}`
  yield* sql`UPDATE reward_issuances SET status = 'held', reason = 'no_trustline' WHERE ${mine} AND idempotency_key = 'b'`
  yield* sql`
    UPDATE reward_issuances SET status = 'submitted', channel_id = ${channel}, channel_sequence = 1
    WHERE ${mine} AND idempotency_key = 'c'`
  yield* sql`UPDATE reward_issuances SET status = 'failed', reason = 'no_account' WHERE ${mine} AND idempotency_key = 'd'`
  return { campaignId, owner }
})

effect("pausing holds what is pending, resuming frees just that, each with its event", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* withRewards
    const campaigns = yield* Campaigns
    const issuances = yield* Issuances
    const others = ["held no_trustline", "submitted", "failed no_account"]
    yield* campaigns.change(owner, campaignId, { status: "paused" })
    expect(yield* statesOf(campaignId)).toEqual(["held campaign_paused", ...others])
    expect((yield* issueOrCode(owner, request(campaignId))).code).toBe("campaign.not_active")
    // A second time changes nothing.
    yield* campaigns.change(owner, campaignId, { status: "paused" })
    yield* campaigns.change(owner, campaignId, { status: "active" })
    expect(yield* statesOf(campaignId)).toEqual(["pending", ...others])
    const [pending] = (yield* issuances.list(owner, { status: "pending", campaignId }, { limit: 1 })).data
    const { timeline } = yield* issuances.get(owner, pending?.id ?? "")
    expect(timeline.map(({ from, reason, to }) => [from, to, reason])).toEqual([
      [null, "pending", null],
      ["pending", "held", "campaign_paused"],
      ["held", "pending", "campaign_active"],
    ])
    expect((yield* campaigns.get(owner, campaignId)).reservedStroops).toBe(4n)
  }),
)

effect("what a campaign promised is paid after its end, also when it was paused before", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* withRewards
    const campaigns = yield* Campaigns
    yield* campaigns.change(owner, campaignId, { status: "paused" })
    yield* campaigns.change(owner, campaignId, { status: "ended" })
    expect((yield* statesOf(campaignId))[0]).toBe("pending")
    expect((yield* issueOrCode(owner, request(campaignId))).code).toBe("campaign.not_active")
  }),
)

effect(
  "more rewards than move at once move in several steps, and a change that broke off is taken up again",
  () =>
    Effect.gen(function* () {
      const { campaignId, owner } = yield* newCampaign(1_000n)
      for (let count = 0; count < 7; count++)
        yield* issueOrCode(owner, request(campaignId, { amountStroops: 1n, idempotencyKey: `k${count}` }))
      const sql = yield* SqlClient.SqlClient
      const change = makeChange(sql, 3)
      const all = (state: string) => Array.from({ length: 7 }, () => state)
      yield* change(owner, campaignId, { status: "paused" })
      expect(yield* statesOf(campaignId)).toEqual(all("held campaign_paused"))
      yield* sql`
      UPDATE reward_issuances SET status = 'pending', reason = NULL
      WHERE campaign_id = ${campaignId} AND idempotency_key > 'k2'`
      yield* change(owner, campaignId, { name: "Winter" })
      expect((yield* statesOf(campaignId)).filter((state) => state === "pending").length).toBe(4)
      yield* change(owner, campaignId, { status: "paused" })
      expect(yield* statesOf(campaignId)).toEqual(all("held campaign_paused"))
      yield* change(owner, campaignId, { status: "active" })
      expect(yield* statesOf(campaignId)).toEqual(all("pending"))
    }),
)

live("nothing is accepted between a pause and its end, whatever arrives meanwhile", () =>
  Effect.gen(function* () {
    const { campaignId, owner } = yield* newCampaign(1_000_000n)
    const campaigns = yield* Campaigns
    const accepting = Effect.forEach(
      Array.from({ length: 200 }, () => request(campaignId, { amountStroops: 1n })),
      (one) => issueOrCode(owner, one),
      { concurrency: 20 },
    )
    const [answers] = yield* Effect.all(
      [accepting, campaigns.change(owner, campaignId, { status: "paused" })],
      {
        concurrency: "unbounded",
      },
    )
    const states = yield* statesOf(campaignId)
    expect([...new Set(states)].filter((state) => state !== "held campaign_paused")).toEqual([])
    expect(states.length).toBe(answers.filter(({ code }) => code === "issued").length)
  }),
)
