import { expect } from "bun:test"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import { UnpayableWallets } from "../../src/issuance/IssueRequest.ts"
import { withLayer } from "../support/it.ts"
import { issueOrCode, layer, newCampaign, OTHER_WALLET, request, WALLET } from "./IssuancesHarness.ts"

const { effect, live } = withLayer(layer)

const rowsOf = (campaignId: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ rows: bigint; events: bigint; users: bigint }>`
      SELECT (SELECT count(*) FROM reward_issuances WHERE campaign_id = ${campaignId}) AS rows,
        (SELECT count(*) FROM issuance_events e JOIN reward_issuances i ON i.id = e.issuance_id
          WHERE i.campaign_id = ${campaignId}) AS events,
        (SELECT count(*) FROM users u JOIN campaigns c ON c.merchant_id = u.merchant_id
          WHERE c.id = ${campaignId}) AS users`,
  ).pipe(Effect.map(([row]) => row))

const reservedOf = Effect.fnUntraced(function* (
  owner: Parameters<Campaigns["Service"]["get"]>[0],
  id: string,
) {
  return (yield* (yield* Campaigns).get(owner, id)).reservedStroops
})

effect("accepts once: row, history, user and budget together", () =>
  Effect.gen(function* () {
    const { owner, campaignId } = yield* newCampaign(1_000_000_000n)
    const issuances = yield* Issuances
    const first = request(campaignId, { userId: "user-42" })
    const issued = yield* issuances.issue(owner, first)
    expect(issued).toEqual({ issuanceId: issued.issuanceId, status: "pending", accepted: true })
    expect(yield* issuances.issue(owner, first)).toEqual({ ...issued, accepted: false })
    const second = yield* issuances.issue(owner, request(campaignId, { userId: "user-42" }))
    expect(second.issuanceId).not.toBe(issued.issuanceId)
    expect(yield* rowsOf(campaignId)).toEqual({ rows: 2n, events: 2n, users: 1n })
    expect(yield* reservedOf(owner, campaignId)).toBe(500_000_000n)
    const { issuance, timeline } = yield* issuances.get(owner, issued.issuanceId)
    expect(issuance).toMatchObject({
      idempotencyKey: first.idempotencyKey,
      walletAddress: WALLET,
      amountStroops: 250_000_000n,
      userId: "user-42",
      status: "pending",
      txHash: null,
    })
    expect(timeline).toEqual([{ at: issuance.createdAt, from: null, to: "pending", reason: null }])
  }),
)

effect("a known key answers with the status that its issuance has now", () =>
  Effect.gen(function* () {
    const { owner, campaignId } = yield* newCampaign(1_000_000_000n)
    const sql = yield* SqlClient.SqlClient
    const first = request(campaignId)
    const { issuanceId } = yield* issueOrCode(owner, first)
    yield* sql`UPDATE reward_issuances SET status = 'cancelled' WHERE id = ${issuanceId}`
    // Whatever became of the campaign.
    yield* sql`UPDATE campaigns SET status = 'ended' WHERE id = ${campaignId}`
    expect(yield* issueOrCode(owner, first)).toMatchObject({
      issuanceId,
      status: "cancelled",
      accepted: false,
    })
  }),
)

effect("a key belongs to its request, field by field", () =>
  Effect.gen(function* () {
    const { owner, campaignId } = yield* newCampaign(1_000_000_000n)
    const other = yield* (yield* Campaigns).create(owner, { name: "Other", budgetStroops: 1_000_000_000n })
    const first = request(campaignId, { userId: "user-42" })
    yield* issueOrCode(owner, first)
    const changes = [
      { amountStroops: 250_000_001n },
      { walletAddress: OTHER_WALLET },
      { campaignId: other.id },
      { campaignId: "cmp_00000000000000000000000000" },
      { userId: "user-43" },
      { userId: undefined },
    ]
    for (const change of changes) {
      expect((yield* issueOrCode(owner, { ...first, ...change })).code).toBe("idempotency.key_reused")
    }
    expect(yield* rowsOf(campaignId)).toEqual({ rows: 1n, events: 1n, users: 1n })
  }),
)

effect("a refused request leaves nothing behind, its key included", () =>
  Effect.gen(function* () {
    const { owner, campaignId } = yield* newCampaign(100n)
    const sql = yield* SqlClient.SqlClient
    const refused = request(campaignId, { amountStroops: 101n, userId: "user-42" })
    expect((yield* issueOrCode(owner, refused)).code).toBe("campaign.budget_exhausted")
    yield* sql`UPDATE campaigns SET status = 'paused' WHERE id = ${campaignId}`
    expect((yield* issueOrCode(owner, refused)).code).toBe("campaign.not_active")
    const nowhere = { ...refused, campaignId: "cmp_00000000000000000000000000" }
    expect((yield* issueOrCode(owner, nowhere)).code).toBe("campaign.not_found")
    expect(yield* rowsOf(campaignId)).toEqual({ rows: 0n, events: 0n, users: 0n })
    expect(yield* reservedOf(owner, campaignId)).toBe(0n)
    yield* sql`UPDATE campaigns SET status = 'active' WHERE id = ${campaignId}`
    const mended = { ...refused, amountStroops: 100n }
    expect(yield* issueOrCode(owner, mended)).toMatchObject({ code: "issued", accepted: true })
  }),
)

effect("keys, campaigns and issuances of others do not exist", () =>
  Effect.gen(function* () {
    const mine = yield* newCampaign(1_000_000_000n)
    const theirs = yield* newCampaign(1_000_000_000n)
    const issuances = yield* Issuances
    const first = request(mine.campaignId)
    const { issuanceId } = yield* issuances.issue(mine.owner, first)
    // The same key is another key for another merchant, and for the other mode.
    const same = { ...first, campaignId: theirs.campaignId }
    expect(yield* issueOrCode(theirs.owner, same)).toMatchObject({ accepted: true })
    const live = { ...mine.owner, mode: "live" as const }
    for (const other of [theirs.owner, live]) {
      const stolen = { ...request(mine.campaignId) }
      expect((yield* issueOrCode(other, stolen)).code).toBe("campaign.not_found")
      expect((yield* Effect.flip(issuances.get(other, issuanceId))).code).toBe("issuance.not_found")
      const page = yield* issuances.list(other, {}, { limit: 100 })
      expect(page.data.map((issuance) => issuance.id)).not.toContain(issuanceId)
    }
  }),
)

effect("pays none of the accounts that issue or pay rewards", () =>
  Effect.gen(function* () {
    const { owner, campaignId } = yield* newCampaign(1_000_000_000n)
    expect((yield* issueOrCode(owner, request(campaignId))).code).toBe("issuance.wallet_not_payable")
    const other = request(campaignId, { walletAddress: OTHER_WALLET })
    expect((yield* issueOrCode(owner, other)).code).toBe("issued")
  }).pipe(
    Effect.provide(
      Layer.fresh(Issuances.layer).pipe(Layer.provide(Layer.succeed(UnpayableWallets, new Set([WALLET])))),
    ),
  ),
)

effect("keeps the trace that accepted it", () =>
  Effect.gen(function* () {
    const { owner, campaignId } = yield* newCampaign(1_000_000_000n)
    const sql = yield* SqlClient.SqlClient
    const span = yield* Effect.makeSpan("test")
    const { issuanceId } = yield* issueOrCode(owner, request(campaignId)).pipe(Effect.withParentSpan(span))
    const [row] = yield* sql<{ trace_context: string }>`
      SELECT trace_context FROM reward_issuances WHERE id = ${issuanceId}`
    // version-traceid-parentid-flags: https://www.w3.org/TR/trace-context/#traceparent-header
    expect(row?.trace_context).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    expect(row?.trace_context.split("-")[1]).toBe(span.traceId)
  }),
)

effect("lists by status, campaign, wallet and time", () =>
  Effect.gen(function* () {
    const { owner, campaignId } = yield* newCampaign(1_000_000_000n)
    const issuances = yield* Issuances
    const other = yield* (yield* Campaigns).create(owner, { name: "Other", budgetStroops: 1_000_000_000n })
    const a = (yield* issueOrCode(owner, request(campaignId))).issuanceId
    const b = (yield* issueOrCode(owner, request(other.id, { walletAddress: OTHER_WALLET }))).issuanceId
    const ids = (filter: Parameters<typeof issuances.list>[1]) =>
      Effect.map(issuances.list(owner, filter, { limit: 10 }), ({ data }) => data.map((each) => each.id))
    const at = (yield* issuances.get(owner, a)).issuance.createdAt
    const before = new Date(at.getTime() - 1)
    const after = new Date(at.getTime() + 1)
    expect(yield* ids({})).toEqual([b, a])
    expect(yield* ids({ campaignId })).toEqual([a])
    expect(yield* ids({ walletAddress: OTHER_WALLET })).toEqual([b])
    expect(yield* ids({ status: "pending" })).toEqual([b, a])
    expect(yield* ids({ status: "confirmed" })).toEqual([])
    expect(yield* ids({ createdAfter: before, createdBefore: after })).toEqual([b, a])
    expect(yield* ids({ createdAfter: at })).toEqual([])
    expect(yield* ids({ createdBefore: at })).toEqual([])
  }),
)

live("100 concurrent requests with one key are one reward with one answer", () =>
  Effect.gen(function* () {
    for (let repetition = 0; repetition < 20; repetition++) {
      const { owner, campaignId } = yield* newCampaign(300_000_000n)
      const same = request(campaignId, { userId: "user-42" })
      const answers = yield* Effect.all(
        Array.from({ length: 100 }, () => issueOrCode(owner, same)),
        { concurrency: "unbounded" },
      )
      expect(answers.filter((answer) => answer.accepted).length).toBe(1)
      expect(
        new Set(answers.map((answer) => `${answer.code} ${answer.issuanceId} ${answer.status}`)).size,
      ).toBe(1)
      expect(yield* rowsOf(campaignId)).toEqual({ rows: 1n, events: 1n, users: 1n })
      expect(yield* reservedOf(owner, campaignId)).toBe(250_000_000n)
    }
  }),
)

live("concurrent requests with one key and different bodies: one is accepted, the others are told", () =>
  Effect.gen(function* () {
    for (let repetition = 0; repetition < 10; repetition++) {
      const { owner, campaignId } = yield* newCampaign(1_000_000_000n)
      const { idempotencyKey } = request(campaignId)
      const answers = yield* Effect.all(
        Array.from({ length: 20 }, (_, index) =>
          issueOrCode(owner, request(campaignId, { idempotencyKey, amountStroops: BigInt(index + 1) })),
        ),
        { concurrency: "unbounded" },
      )
      const codes = answers.map((answer) => answer.code).sort()
      expect(codes).toEqual([...Array.from({ length: 19 }, () => "idempotency.key_reused"), "issued"])
      expect((yield* rowsOf(campaignId))?.rows).toBe(1n)
    }
  }),
)
