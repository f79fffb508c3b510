import { expect, it } from "bun:test"
import { Result } from "effect"
import { type LockedCampaign, makeBudgetBook, type WalletUsage } from "../../src/campaign/BudgetBook.ts"

const owner = { merchantId: "mer_1", mode: "test" as const }
const day = (ordinal: number) => new Date(Date.UTC(2026, 0, ordinal))

const campaign = (fields: Partial<LockedCampaign> = {}): LockedCampaign => ({
  ...owner,
  id: "cmp_1",
  name: "Summer",
  status: "active",
  startsAt: day(5),
  endsAt: day(9),
  budgetStroops: 100n,
  reservedStroops: 30n,
  spentStroops: 20n,
  onMissingTrustline: "fail",
  reclaimAfterS: 86_400n,
  walletCapStroops: null,
  walletCapPeriod: null,
  createdAt: day(1),
  ...fields,
})

const asking = (
  amountStroops: bigint,
  fields: { at?: Date; walletAccount?: string; campaignId?: string } = {},
) => ({
  owner,
  campaignId: "cmp_1",
  walletAccount: "G1",
  amountStroops,
  at: day(6),
  ...fields,
})

const bookOf = (locked: LockedCampaign, usage: ReadonlyArray<WalletUsage> = []) => {
  const book = makeBudgetBook([locked], usage)
  const codeOf = (...request: Parameters<typeof asking>) =>
    Result.match(book.promise(asking(...request)), {
      onFailure: (error): string => error.code,
      onSuccess: () => "promised",
    })
  return { book, codeOf }
}

it("promises what is left, to the stroop, in the order of asking", () => {
  const { book, codeOf } = bookOf(campaign())
  expect([codeOf(51n), codeOf(30n), codeOf(21n), codeOf(20n), codeOf(1n)]).toEqual([
    "campaign.budget_exhausted",
    "promised",
    "campaign.budget_exhausted",
    "promised",
    "campaign.budget_exhausted",
  ])
  expect(book.promised()).toEqual([{ campaignId: "cmp_1", stroops: 50n }])
  expect(book.used()).toEqual([])
})

it("promises only while the campaign runs: from its start, up to its end", () => {
  const { codeOf } = bookOf(campaign())
  const at = [new Date(day(5).getTime() - 1), day(5), new Date(day(9).getTime() - 1), day(9)]
  expect(at.map((moment) => codeOf(1n, { at: moment }))).toEqual([
    "campaign.not_active",
    "promised",
    "promised",
    "campaign.not_active",
  ])
  for (const status of ["paused", "ended"] as const)
    expect(bookOf(campaign({ status })).codeOf(1n)).toBe("campaign.not_active")
})

it("knows no campaign of another merchant, of the other mode, or of no one", () => {
  const { book, codeOf } = bookOf(campaign())
  expect(codeOf(1n, { campaignId: "cmp_2" })).toBe("campaign.not_found")
  for (const other of [
    { ...owner, merchantId: "mer_2" },
    { ...owner, mode: "live" as const },
  ]) {
    expect(book.find(other, "cmp_1")).toBeUndefined()
    expect(Result.isFailure(book.promise({ ...asking(1n), owner: other }))).toBe(true)
  }
})

it("a wallet gets no more than its cap in a period, and each wallet and period counts for itself", () => {
  const capped = campaign({ budgetStroops: 1000n, walletCapStroops: 10n, walletCapPeriod: "day" })
  const before = { campaignId: "cmp_1", walletAccount: "G1", periodStart: day(6), usedStroops: 4n }
  const { book, codeOf } = bookOf(capped, [before])
  expect([codeOf(7n), codeOf(5n), codeOf(2n), codeOf(1n), codeOf(1n)]).toEqual([
    "campaign.wallet_cap_reached",
    "promised",
    "campaign.wallet_cap_reached",
    "promised",
    "campaign.wallet_cap_reached",
  ])
  expect([codeOf(10n, { walletAccount: "G2" }), codeOf(10n, { at: day(7) })]).toEqual([
    "promised",
    "promised",
  ])
  // A refused request has taken nothing of the budget either.
  expect(book.promised()).toEqual([{ campaignId: "cmp_1", stroops: 26n }])
  expect(book.used()).toEqual([
    { ...before, usedStroops: 6n, capStroops: 10n },
    { ...before, walletAccount: "G2", usedStroops: 10n, capStroops: 10n },
    { ...before, periodStart: day(7), usedStroops: 10n, capStroops: 10n },
  ])
})

it("says which period a promise counts in", () => {
  const capped = campaign({ walletCapStroops: 10n, walletCapPeriod: "month" })
  expect(bookOf(capped).book.promise(asking(1n))).toEqual(Result.succeed({ capPeriodStart: day(1) }))
  expect(bookOf(campaign()).book.promise(asking(1n))).toEqual(Result.succeed({ capPeriodStart: null }))
})
