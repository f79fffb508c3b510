/**
 * What must hold whenever everything has settled, whatever was killed before (I1 to I5 of the promises): the merchant's
 * own records, the API, the ledger as Horizon shows it, and the tables must tell one story.
 */
import { Effect } from "effect"
import { type BookKeeping, query, readBookKeeping } from "./Books.ts"
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

/** A merchant, and where it sells. */
export interface Shop {
  readonly demo: Demo
  readonly merchant: Merchant
}

/** What does not hold, in words; empty where all is well. */
type Violations = ReadonlyArray<string>

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

/** Differences as multisets; ten thousand lines help nobody, so the first of them only. */
const compare = (what: string, left: ReadonlyArray<string>, right: ReadonlyArray<string>): Violations => {
  const counts = new Map<string, number>()
  for (const line of left) counts.set(line, (counts.get(line) ?? 0) + 1)
  for (const line of right) counts.set(line, (counts.get(line) ?? 0) - 1)
  const differences = [...counts].filter(([, count]) => count !== 0)
  const shown = differences.slice(0, 20).map(([line, count]) => `${count > 0 ? "-" : "+"} ${line}`)
  return differences.length === 0 ? [] : [`${what}: ${differences.length} differ`, ...shown]
}

const equal = <A>(what: string, expected: A, found: A): Violations =>
  expected === found ? [] : [`${what}: expected ${expected}, found ${found}`]

/** Accepted means accepted once, and every accepted reward has ended as its wallet deserves. */
const checkIssuances = ({ demo, merchant }: Shop, issuances: ReadonlyArray<Issuance>): Violations => {
  const answered = [...merchant.answered].map(([key, id]) => `${key} is ${id}`)
  const shown = issuances.map((issuance) => `${issuance.idempotencyKey} is ${issuance.id}`)
  const [, , withoutTrustline] = demo.wallets
  const lineFor = (reward: Reward) => {
    const outcome = reward.walletAddress === withoutTrustline ? "failed no_trustline" : "confirmed null"
    return `${reward.idempotencyKey} to ${reward.walletAddress}: ${stroops(reward.amount)} ${outcome}`
  }
  const ended = issuances.map(
    (issuance) =>
      `${issuance.idempotencyKey} to ${issuance.walletAddress}: ${stroops(issuance.amount)} ${issuance.status} ${issuance.reason}`,
  )
  return [
    ...merchant.wrongs,
    ...compare("accepted and shown", answered, shown),
    ...compare("ordered and ended", [...merchant.rewards.values()].map(lineFor), ended),
  ]
}

/** The ledger's payments and the confirmed issuances, one to one. */
const checkPayments = (
  confirmed: ReadonlyArray<Issuance>,
  payments: ReadonlyArray<LedgerPayment>,
): Violations => [
  ...compare(
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
  ),
  ...equal("operations that paid", payments.length, new Set(payments.map(({ operation }) => operation)).size),
]

interface Campaign {
  readonly budget: string
  readonly reserved: string
  readonly spent: string
  readonly remaining: string
}

const spentBy = (issuances: ReadonlyArray<Issuance>): bigint =>
  sum(issuances.filter(({ status }) => status === "confirmed").map(({ amount }) => amount))

const checkBudget = ({ demo }: Shop, issuances: ReadonlyArray<Issuance>) =>
  Effect.gen(function* () {
    const spent = spentBy(issuances)
    const campaign = yield* get<Campaign>(demo, `/api/campaigns/${demo.campaignId}`)
    return [
      ...equal("reserved in the end", 0n, stroops(campaign.reserved)),
      ...equal("spent of the budget", spent, stroops(campaign.spent)),
      ...equal("left of the budget", stroops(campaign.budget) - spent, stroops(campaign.remaining)),
    ]
  })

/** What the treasury was given at the first run: src/demo/DemoAccounts.ts. */
const TREASURY_STROOPS = 10_000_000n * 10_000_000n

const checkBalances = (demo: Demo, distribution: string, issuances: ReadonlyArray<Issuance>) =>
  Effect.gen(function* () {
    const left = stroops(yield* balanceOf(demo, distribution))
    const found = [...equal("left in the treasury", TREASURY_STROOPS - spentBy(issuances), left)]
    for (const wallet of demo.wallets) {
      const own = spentBy(issuances.filter(({ walletAddress }) => walletAddress === wallet))
      found.push(...equal(`balance of ${wallet}`, own, stroops(yield* balanceOf(demo, wallet))))
    }
    return found
  })

/** The account that pays, as the worker was told. */
const distributionOf = (place: Place): string =>
  partOf(place.home, "issuance-worker")?.environment.NOVA_DISTRIBUTION_ADDRESS ?? ""

const GOOD_BOOKS: BookKeeping = {
  haltedChannels: 0,
  paused: false,
  brokenHistories: 0,
  confirmedTwice: 0,
  danglingEnvelopes: 0,
}

/**
 * Checks them all, for all merchants of the system. Everything must have settled, every request must have its answer,
 * and every part must be up.
 */
export const findViolations = (
  place: Place,
  shops: ReadonlyArray<Shop>,
): Effect.Effect<Findings & { readonly violations: Violations }> =>
  Effect.gen(function* () {
    const violations: Array<string> = []
    const distribution = distributionOf(place)
    const everyone: Array<Issuance> = []
    for (const shop of shops) {
      const issuances = yield* readIssuances(shop.demo)
      violations.push(...checkIssuances(shop, issuances), ...(yield* checkBudget(shop, issuances)))
      everyone.push(...issuances)
    }
    const [first] = shops
    const payments = first === undefined ? [] : yield* paymentsFrom(first.demo, distribution)
    const confirmed = everyone.filter(({ status }) => status === "confirmed")
    violations.push(...checkPayments(confirmed, payments))
    if (first !== undefined) violations.push(...(yield* checkBalances(first.demo, distribution, everyone)))
    violations.push(
      ...equal("books", JSON.stringify(GOOD_BOOKS), JSON.stringify(yield* query(place, readBookKeeping))),
    )
    return {
      violations,
      issuances: everyone.length,
      confirmed: confirmed.length,
      failed: everyone.length - confirmed.length,
      payments: payments.length,
      transactions: new Set(payments.map(({ operation }) => operation.split(":")[0])).size,
    }
  })

/** The same for the demo's merchant alone; dies with everything that does not hold. */
export const checkInvariants = (place: Place, demo: Demo, merchant: Merchant): Effect.Effect<Findings> =>
  Effect.gen(function* () {
    const { violations, ...found } = yield* findViolations(place, [{ demo, merchant }])
    if (violations.length > 0) return yield* Effect.die(new Error(violations.join("\n")))
    return found
  })
