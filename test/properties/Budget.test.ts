import { expect } from "bun:test"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import fc from "fast-check"
import { issueOrCode, layer, newCampaign, request } from "../issuance/IssuancesHarness.ts"
import { withLayer } from "../support/it.ts"

const { live } = withLayer(layer)

const amounts = fc.array(fc.bigInt({ min: 1n, max: 60n }), { minLength: 1, maxLength: 40 })

/** A batch of requests: some of them repeat the key (and body) of an earlier one. */
const batch = fc.record({
  budget: fc.bigInt({ min: 1n, max: 500n }),
  amounts,
  repeats: fc.array(fc.nat(), { maxLength: 20 }),
})

const check = Effect.fnUntraced(function* (
  budget: bigint,
  each: ReadonlyArray<bigint>,
  repeats: ReadonlyArray<number>,
) {
  const sql = yield* SqlClient.SqlClient
  const { owner, campaignId } = yield* newCampaign(budget)
  const distinct = each.map((amountStroops) => request(campaignId, { amountStroops }))
  const all = [
    ...distinct,
    ...repeats.map((index) => distinct[index % distinct.length] ?? request(campaignId)),
  ]
  const answers = yield* Effect.all(
    all.map((one) => issueOrCode(owner, one)),
    { concurrency: "unbounded" },
  )
  const [row] = yield* sql<{ reserved: bigint; accepted: string | null; keys: bigint; rows: bigint }>`
    SELECT c.reserved_stroops AS reserved, sum(i.amount_stroops)::text AS accepted,
      count(DISTINCT i.idempotency_key) AS keys, count(i.id) AS rows
    FROM campaigns c LEFT JOIN reward_issuances i ON i.campaign_id = c.id
    WHERE c.id = ${campaignId} GROUP BY c.id`
  const promised = answers.filter((answer) => answer.accepted).length
  expect(row?.reserved).toBe(BigInt(row?.accepted ?? "0"))
  expect(row?.reserved).toBeLessThanOrEqual(budget)
  expect([row?.rows, row?.keys]).toEqual([BigInt(promised), BigInt(promised)])
  const codes = new Set(answers.map((answer) => answer.code))
  codes.delete("issued")
  codes.delete("campaign.budget_exhausted")
  expect([...codes]).toEqual([])
  // No money is left lying: whoever was refused would not have fitted into what is left.
  const left = budget - (row?.reserved ?? 0n)
  for (const [index, answer] of answers.entries()) {
    if (answer.code !== "issued") expect(all[index]?.amountStroops ?? 0n).toBeGreaterThan(left)
  }
})

live("a budget is never exceeded, and what is reserved is what was accepted", () =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Effect.Services<ReturnType<typeof check>>>()
    yield* Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(batch, ({ budget, amounts: each, repeats }) =>
          Effect.runPromiseWith(context)(check(budget, each, repeats)),
        ),
        { numRuns: 60 },
      ),
    )
  }),
)
