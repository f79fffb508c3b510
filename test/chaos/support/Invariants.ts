/**
 * What must hold whenever everything has settled, whatever was killed before (I1 to I5 of the promises): the merchant's
 * own records, the API, the ledger as Horizon shows it, and the tables must tell one story.
 */
import { expect } from "bun:test"
import { Effect } from "effect"
import { query, readBookKeeping } from "./Books.ts"
import { partOf } from "./HomeProcesses.ts"
import { balanceOf, type LedgerPayment, paymentsFrom } from "./LedgerView.ts"
import type { Merchant, Reward } from "./Merchant.ts"
import type { Demo, Place } from "./NovaSystem.ts"

interface Issuance {
  readonly id: string
  readonly status: string
  readonly reason: string | null
  readonly amount: string
  readonly walletAddress: string
  readonly idempotencyKey: string
  /** The three are the proof, once confirmed. */
  readonly txHash: string | null
  readonly ledger: number | null
  readonly operationIndex: number | null
}

/** Figures for people. */
export interface Findings {
  readonly issuances: number
  readonly confirmed: number
  readonly failed: number
  readonly payments: number
  readonly transactions: number
}

const get = <A>(demo: Demo, path: string) =>
  Effect.promise(async () => {
    const response = await fetch(`${demo.apiUrl}${path}`, {
      headers: { "x-api-key": demo.apiKey },
      signal: AbortSignal.timeout(20_000),
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as A
  })

interface IssuancePage {
  readonly data: ReadonlyArray<Issuance>
  readonly has_more: boolean
}

/** Every issuance of the merchant, to the last page. */
const readIssuances = (demo: Demo) =>
  Effect.gen(function* () {
    const all: Array<Issuance> = []
    while (true) {
      const last = all.at(-1)
      const cursor = last === undefined ? "" : `&starting_after=${last.id}`
      const page = yield* get<IssuancePage>(demo, `/api/rewards/issuances?limit=100${cursor}`)
      all.push(...page.data)
      if (!page.has_more) return all
    }
  })

/** "25" and "25.0000000" are one amount: stroops, of which there are ten million in one. */
const stroops = (amount: string): bigint => {
  const [whole = "", fraction = ""] = amount.split(".")
  return BigInt(whole + fraction.padEnd(7, "0"))
}

const sum = (amounts: ReadonlyArray<string>): bigint =>
  amounts.reduce((total, amount) => total + stroops(amount), 0n)

/** One line for each payment, so that a difference names it. */
const lineOf = (operation: string, ledger: number | null, to: string, amount: string) =>
  `${operation} in ${ledger} to ${to}: ${stroops(amount)}`

/** Compares as multisets, with the difference alone in the message: ten thousand lines help nobody. */
const expectSame = (what: string, left: ReadonlyArray<string>, right: ReadonlyArray<string>): void => {
  const counts = new Map<string, number>()
  for (const line of left) counts.set(line, (counts.get(line) ?? 0) + 1)
  for (const line of right) counts.set(line, (counts.get(line) ?? 0) - 1)
  const differences = [...counts].filter(([, count]) => count !== 0)
  const shown = differences.slice(0, 20).map(([line, count]) => `${count > 0 ? "-" : "+"} ${line}`)
  expect({ what, count: differences.length, shown }).toEqual({ what, count: 0, shown: [] })
}

/** Accepted means accepted once, and every accepted reward has ended as its wallet deserves. */
const checkIssuances = (demo: Demo, merchant: Merchant, issuances: ReadonlyArray<Issuance>): void => {
  expect(merchant.wrongs).toEqual([])
  const answered = [...merchant.answered].map(([key, id]) => `${key} is ${id}`)
  expectSame(
    "accepted and shown",
    answered,
    issuances.map((issuance) => `${issuance.idempotencyKey} is ${issuance.id}`),
  )
  const [, , withoutTrustline] = demo.wallets
  const lineFor = (reward: Reward) => {
    const outcome = reward.walletAddress === withoutTrustline ? "failed no_trustline" : "confirmed null"
    return `${reward.idempotencyKey} to ${reward.walletAddress}: ${stroops(reward.amount)} ${outcome}`
  }
  expectSame(
    "ordered and ended",
    [...merchant.rewards.values()].map(lineFor),
    issuances.map(
      (issuance) =>
        `${issuance.idempotencyKey} to ${issuance.walletAddress}: ${stroops(issuance.amount)} ${issuance.status} ${issuance.reason}`,
    ),
  )
}

/** The ledger's payments and the confirmed issuances, one to one. */
const checkPayments = (confirmed: ReadonlyArray<Issuance>, payments: ReadonlyArray<LedgerPayment>): void => {
  expectSame(
    "paid on the ledger and confirmed",
    payments.map(({ amount, ledger, operation, to }) => lineOf(operation, ledger, to, amount)),
    confirmed.map((issuance) =>
      lineOf(
        `${issuance.txHash}:${issuance.operationIndex}`,
        issuance.ledger,
        issuance.walletAddress,
        issuance.amount,
      ),
    ),
  )
  expect(new Set(payments.map(({ operation }) => operation)).size).toBe(payments.length)
}

interface Campaign {
  readonly budget: string
  readonly reserved: string
  readonly spent: string
  readonly remaining: string
}

/** What the treasury was given at the first run: src/demo/DemoAccounts.ts. */
const TREASURY_STROOPS = 10_000_000n * 10_000_000n

const checkMoney = (demo: Demo, distribution: string, confirmed: ReadonlyArray<Issuance>) =>
  Effect.gen(function* () {
    const spent = sum(confirmed.map(({ amount }) => amount))
    const campaign = yield* get<Campaign>(demo, `/api/campaigns/${demo.campaignId}`)
    expect(stroops(campaign.reserved)).toBe(0n)
    expect(stroops(campaign.spent)).toBe(spent)
    expect(stroops(campaign.remaining)).toBe(stroops(campaign.budget) - spent)
    expect(stroops(yield* balanceOf(demo, distribution))).toBe(TREASURY_STROOPS - spent)
    for (const wallet of demo.wallets) {
      const own = confirmed.filter(({ walletAddress }) => walletAddress === wallet)
      expect(stroops(yield* balanceOf(demo, wallet))).toBe(sum(own.map(({ amount }) => amount)))
    }
  })

/** The account that pays, as the worker was told. */
const distributionOf = (place: Place): string =>
  partOf(place.home, "issuance-worker")?.environment.NOVA_DISTRIBUTION_ADDRESS ?? ""

/** Checks them all. Everything must have settled, and every request must have its answer. */
export const checkInvariants = (place: Place, demo: Demo, merchant: Merchant): Effect.Effect<Findings> =>
  Effect.gen(function* () {
    const distribution = distributionOf(place)
    expect(distribution).toMatch(/^G[A-Z2-7]{55}$/)
    const issuances = yield* readIssuances(demo)
    const confirmed = issuances.filter(({ status }) => status === "confirmed")
    const payments = yield* paymentsFrom(demo, distribution)
    checkIssuances(demo, merchant, issuances)
    checkPayments(confirmed, payments)
    yield* checkMoney(demo, distribution, confirmed)
    expect(yield* query(place, readBookKeeping)).toEqual({
      haltedChannels: 0,
      paused: false,
      brokenHistories: 0,
      confirmedTwice: 0,
      danglingEnvelopes: 0,
    })
    return {
      issuances: issuances.length,
      confirmed: confirmed.length,
      failed: issuances.length - confirmed.length,
      payments: payments.length,
      transactions: new Set(payments.map(({ operation }) => operation.split(":")[0])).size,
    }
  })
