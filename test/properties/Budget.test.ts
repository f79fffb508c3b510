import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import fc from "fast-check"
import { Issuances } from "../../src/issuance/Issuances.ts"
import {
  issueOrCode,
  layer,
  newCampaign,
  OTHER_WALLET,
  request,
  WALLET,
} from "../issuance/IssuancesHarness.ts"
import { withLayer } from "../support/it.ts"

const { live } = withLayer(layer)

const wallets = [WALLET, OTHER_WALLET]

const rewards = fc.array(
  fc.record({ stroops: fc.bigInt({ min: 1n, max: 60n }), wallet: fc.nat({ max: 1 }) }),
  {
    minLength: 1,
    maxLength: 40,
  },
)

/** Requests of which some repeat the key and body of another, some come as one list, and some are cancelled. */
const scenario = fc.record({
  budget: fc.bigInt({ min: 1n, max: 500n }),
  cap: fc.option(fc.bigInt({ min: 1n, max: 200n })),
  rewards,
  repeats: fc.array(fc.nat(), { maxLength: 20 }),
  listed: fc.nat({ max: 20 }),
  cancelled: fc.array(fc.nat(), { maxLength: 10 }),
})

type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never

const books = Effect.fnUntraced(function* (campaignId: string) {
  const sql = yield* SqlClient.SqlClient
  const [campaign] = yield* sql<{ reserved: bigint; kept: bigint; keys: bigint; rows: bigint }>`
    SELECT c.reserved_stroops AS reserved, count(DISTINCT i.idempotency_key) AS keys, count(i.id) AS rows,
      coalesce(sum(i.amount_stroops) FILTER (WHERE i.status = 'pending'), 0)::bigint AS kept
    FROM campaigns c LEFT JOIN reward_issuances i ON i.campaign_id = c.id
    WHERE c.id = ${campaignId} GROUP BY c.id`
  // What each wallet has by its rows, beside what the cap's books say of it.
  const usage = yield* sql<{ wallet: string; used: bigint; kept: bigint }>`
    SELECT u.wallet_account AS wallet, u.used_stroops AS used,
      coalesce((SELECT sum(i.amount_stroops) FROM reward_issuances i WHERE i.campaign_id = u.campaign_id
        AND i.wallet_account = u.wallet_account AND i.cap_period_start = u.period_start
        AND i.status = 'pending'), 0)::bigint AS kept
    FROM campaign_wallet_usage u WHERE u.campaign_id = ${campaignId}`
  if (campaign === undefined) throw new Error("the campaign is gone")
  return { ...campaign, usage }
})

const check = Effect.fnUntraced(function* (of: Scenario) {
  const issuances = yield* Issuances
  const walletCap = of.cap === null ? undefined : { amountStroops: of.cap, period: "campaign" as const }
  const { owner, campaignId } = yield* newCampaign(of.budget, { walletCap })
  const distinct = of.rewards.map(({ stroops, wallet }) =>
    request(campaignId, { amountStroops: stroops, walletAddress: wallets[wallet] ?? WALLET }),
  )
  const all = [
    ...distinct,
    ...of.repeats.map((index) => distinct[index % distinct.length] ?? request(campaignId)),
  ]
  const list = all.slice(0, of.listed)
  const [answers] = yield* Effect.all(
    [
      Effect.all(
        all.map((one) => issueOrCode(owner, one)),
        { concurrency: "unbounded" },
      ),
      issuances.issueAll(owner, list),
    ],
    { concurrency: "unbounded" },
  )
  const before = yield* books(campaignId)
  expect([before.rows, before.reserved]).toEqual([before.keys, before.kept])
  expect(before.reserved).toBeLessThanOrEqual(of.budget)
  const capLeft = new Map(wallets.map((wallet) => [wallet, of.cap ?? of.budget]))
  for (const { kept, used, wallet } of before.usage) {
    expect(used).toBe(kept)
    expect(used).toBeLessThanOrEqual(of.cap ?? 0n)
    capLeft.set(wallet, (of.cap ?? 0n) - used)
  }
  if (of.cap === null) expect(before.usage).toEqual([])
  // No money is left lying: whoever was refused would not have fitted into what is left, of the budget or of the cap.
  const left = of.budget - before.reserved
  for (const [index, { code }] of answers.entries()) {
    const { amountStroops, walletAddress } = all[index] ?? request(campaignId)
    if (code === "campaign.budget_exhausted") expect(amountStroops).toBeGreaterThan(left)
    else if (code === "campaign.wallet_cap_reached")
      expect(amountStroops).toBeGreaterThan(capLeft.get(walletAddress) ?? 0n)
    else expect(code).toBe("issued")
  }
  const accepted = answers.filter(({ issuanceId }) => issuanceId !== "")
  yield* Effect.forEach(
    of.cancelled.flatMap((index) => accepted[index % Math.max(accepted.length, 1)] ?? []),
    ({ issuanceId }) => Effect.ignore(issuances.cancel(owner, issuanceId)),
    { concurrency: "unbounded" },
  )
  const after = yield* books(campaignId)
  expect(after.reserved).toBe(after.kept)
  for (const { kept, used } of after.usage) expect(used).toBe(kept)
})

live(
  "no budget and no cap is ever exceeded, and what the books say is what was accepted and not taken back",
  () =>
    Effect.gen(function* () {
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof check>>>()
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(scenario, (of) => Effect.runPromiseWith(context)(check(of))),
          { numRuns: 60 },
        ),
      )
    }),
)
