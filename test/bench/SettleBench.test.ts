/**
 * The bench's accounting, on a tiny run of real processes: what it counts is what the network shows, and rows and
 * payments that differ are told. How fast is not asserted, since that depends on the machine and its neighbours.
 */
import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { compare, type PaidOnLedger } from "../../bench/settle/LedgerPayments.ts"
import { FULL, planOf, QUICK, type SettlePlan } from "../../bench/settle/Plan.ts"
import { openShop, queueRewards, writeHistory } from "../../bench/settle/Rows.ts"
import { benchSettle } from "../../bench/settle/SettleBench.ts"
import { windowOf } from "../../bench/settle/Settlement.ts"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const { live } = withLayer(TestDatabase.layer)

const AT = new Date("2026-01-01T00:00:00Z")
const CHANNELS = 3

const TINY: SettlePlan = {
  closeIntervalMs: 400,
  rewards: { mainnet: 1000, testnet: 200 },
  wallets: 40,
  workers: 1,
  channels: CHANNELS,
  baselineLedgers: 2,
  accept: { samples: 2, closeIntervalMs: 400 },
  claim: { claims: 2, historicRows: 500, floodRows: 300 },
}

/** Programs of ours that still run as our children. */
const childrenLeft = (): ReadonlyArray<string> => {
  if (process.platform !== "linux") return []
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      return parent === process.pid && /localnet|issuance-worker|main\.ts api|nova-bench/.test(command)
        ? [command]
        : []
    } catch {
      return []
    }
  })
}

live(
  "every reward is one payment, the figures add up, the last line is JSON, and nothing is left running",
  () =>
    Effect.gen(function* () {
      const printed: Array<string> = []
      const chosen = { plan: TINY, parts: ["mainnet", "baselines", "accept", "claim"] as const }
      const result = yield* benchSettle(chosen, (text) => printed.push(text))
      const last = JSON.parse(printed.at(-1) ?? "")
      const { accept, claim, mainnet, single, unbatched } = result
      if (mainnet === undefined || single === undefined || unbatched === undefined) throw new Error("no runs")

      for (const run of [mainnet, single, unbatched]) {
        expect(run.finished).toBe(true)
        expect(run.states).toEqual({ confirmed: run.rewards })
        expect(run.agreement).toEqual({
          confirmedRows: run.rewards,
          ledgerPayments: run.rewards,
          rowsWithoutPayment: 0,
          paymentsWithoutRow: 0,
          oneToOne: true,
        })
        expect(run.failed_transactions).toBe(0)
        expect(run.utilisation).toBeCloseTo(run.payments / (run.ledgers * 1000), 10)
      }
      // Three channels pay three transactions of a hundred in a ledger at most: 30 % of a thousand.
      expect(mainnet.channels).toBe(CHANNELS)
      expect(mainnet.ledgers).toBeGreaterThan(0)
      expect(mainnet.payments_per_ledger).toBeGreaterThan(0)
      expect(mainnet.utilisation).toBeLessThanOrEqual(0.3)
      expect(mainnet.payments).toBeLessThan(mainnet.rewards)
      // One payment in each transaction, one transaction of a channel in each ledger.
      expect([single.channels, unbatched.channels]).toEqual([1, CHANNELS])
      expect([single.transactions, unbatched.transactions]).toEqual([single.rewards, unbatched.rewards])
      expect(single.payments_per_ledger).toBeLessThanOrEqual(1)
      expect(unbatched.payments_per_ledger).toBeLessThanOrEqual(CHANNELS)

      expect(accept?.samples).toBe(TINY.accept.samples)
      expect(Object.values(accept?.paid_in_ledger ?? {}).reduce((sum, count) => sum + count, 0)).toBe(
        TINY.accept.samples,
      )
      expect(accept?.p95_ledgers).toBeCloseTo(((accept?.p95_seconds ?? 0) * 1000) / 400, 10)
      expect([claim?.empty.claims, claim?.history.claims, claim?.flood.claims]).toEqual([2, 2, 2])
      // Merchants take turns, so the ten are in the first hundred.
      expect(claim?.flood_small_merchant_claims).toBe(1)

      expect(last).toEqual(JSON.parse(JSON.stringify(result)))
      expect(last.utilisation_mainnet).toBe(mainnet.utilisation)
      expect(last.utilisation_testnet).toBeNull()
      expect(last.ratio_single).toBeCloseTo(mainnet.payments_per_ledger / single.payments_per_ledger, 10)
      expect(last.ratio_unbatched).toBeCloseTo(
        mainnet.payments_per_ledger / unbatched.payments_per_ledger,
        10,
      )
      expect(last.accept_p95_ledgers).toBe(accept?.p95_ledgers)
      if (process.platform === "linux") {
        expect(last.worker_cpu).toBeGreaterThan(0)
        expect(last.postgres_cpu).toBeGreaterThan(0)
      }
      expect(childrenLeft()).toEqual([])
    }),
  { timeout: 120_000 },
)

const paidAs = (proofs: ReadonlyArray<string>): PaidOnLedger => ({
  payments: proofs.map((proof) => ({ ledger: 1, proof })),
  transactions: 1,
  failedTransactions: 0,
  feeBumps: 0,
  innerOf: new Map(),
})

live("rows and payments that differ are told, whichever side has more", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const shop = yield* openShop(1, AT)
    const wallets = ["GA", "GB"]
    yield* queueRewards({ shop, wallets, first: 1, count: 3 }, AT)
    yield* writeHistory({ shop, wallets, first: 104, count: 2 }, AT)
    // Of rewards 104 and 105 both are confirmed: 104 % 100 and 105 % 100 are neither 0, 1 nor 2.
    const rows = yield* sql<{ tx_hash: string }>`
      SELECT tx_hash FROM reward_issuances WHERE status = 'confirmed'`
    const [hash = ""] = rows.map((row) => row.tx_hash)
    // Wallets go round by number, amounts are 100,000 stroops times 1 + n % 25, places are n % 100.
    const proofs = [`${hash}:4 GA 500000`, `${hash}:5 GB 600000`]
    expect(yield* compare(paidAs(proofs))).toMatchObject({
      confirmedRows: 2,
      ledgerPayments: 2,
      oneToOne: true,
    })
    expect(yield* compare(paidAs(proofs.slice(1)))).toMatchObject({ rowsWithoutPayment: 1, oneToOne: false })
    expect(yield* compare(paidAs([...proofs, `${hash}:6 GA 1`]))).toMatchObject({
      paymentsWithoutRow: 1,
      oneToOne: false,
    })
    const wrongAmount = [`${hash}:4 GA 500001`, `${hash}:5 GB 600000`]
    expect(yield* compare(paidAs(wrongAmount))).toMatchObject({
      rowsWithoutPayment: 1,
      paymentsWithoutRow: 1,
    })
    const twice = [...proofs, `${hash}:5 GB 600000`]
    expect(yield* compare(paidAs(twice))).toMatchObject({ ledgerPayments: 3, oneToOne: false })
  }),
)

test("the first and the last ledger that paid do not count, empty ones between them do", () => {
  const ledgers = [10, 11, 11, 13, 14].map((ledger) => ({ ledger }))
  expect(windowOf(ledgers, undefined)).toEqual({ first: 11, end: 14, counts: [2, 0, 1] })
  expect(windowOf(ledgers, 2)).toEqual({ first: 11, end: 13, counts: [2, 0] })
  expect(windowOf([{ ledger: 5 }], undefined).counts).toEqual([])
  expect(windowOf([], undefined).counts).toEqual([])
})

test("flags choose the plan, and nonsense is refused", () => {
  expect(planOf([])?.plan).toEqual(FULL)
  expect(planOf(["--quick"])?.plan).toEqual(QUICK)
  expect(planOf(["--close-interval-ms", "5000"])?.plan).toEqual({ ...FULL, closeIntervalMs: 5000 })
  expect(planOf(["--only", "testnet,claim"])?.parts).toEqual(["testnet", "claim"])
  for (const flags of [["--fast"], ["--workers", "0"], ["--workers"], ["--only", "all"], ["5000"]]) {
    expect(planOf(flags)).toBeUndefined()
  }
})
