/** The issuance engine measured: tables for people, and one JSON object as the last line. */
import { join } from "node:path"
import { Effect } from "effect"
import { hardware, hardwareTable } from "../Hardware.ts"
import { type AcceptLatency, measureAccept } from "./AcceptLatency.ts"
import { writeAccounts } from "./Accounts.ts"
import { type ClaimLatency, measureClaim } from "./ClaimLatency.ts"
import { openGround } from "./Ground.ts"
import { CAPACITY, type Chosen, type Part, type Profile, type SettlePlan } from "./Plan.ts"
import {
  acceptTable,
  type Baselines,
  baselineTable,
  claimTable,
  limitOf,
  ratios,
  settledTable,
} from "./Report.ts"
import { measureSettlement, type Settled, type SettleRun, type Stage } from "./Settlement.ts"

/** Ledgers beyond those that full ones would take, before a run counts as stuck. */
const SPARE_LEDGERS = 60

interface Found {
  mainnet?: Settled
  testnet?: Settled
  single?: Settled
  unbatched?: Settled
  accept?: AcceptLatency
  claim?: ClaimLatency
}

const fullRun = (plan: SettlePlan, profile: Profile): SettleRun => ({
  name: profile,
  profile,
  closeIntervalMs: plan.closeIntervalMs,
  rewards: plan.rewards[profile],
  workers: plan.workers,
  channels: plan.channels,
  paymentsMax: undefined,
  ledgersMax: Math.ceil(plan.rewards[profile] / CAPACITY[profile]) + SPARE_LEDGERS,
  window: undefined,
})

/**
 * One payment per transaction, with a reward for each channel and ledger, and some more: the last ledgers, in which
 * few are left, do not count.
 */
const baselineRun = (plan: SettlePlan, name: string, channels: number): SettleRun => ({
  ...fullRun(plan, "mainnet"),
  name,
  channels,
  paymentsMax: 1,
  rewards: channels * (plan.baselineLedgers + 4),
  ledgersMax: 3 * plan.baselineLedgers + SPARE_LEDGERS,
  window: plan.baselineLedgers,
})

const baselinesOf = ({ mainnet, single, unbatched }: Found): Baselines | undefined =>
  mainnet === undefined || single === undefined || unbatched === undefined
    ? undefined
    : { full: mainnet, single, unbatched }

/** The figures that are asked for by name, and then all there is. Null: not part of this run. */
const summary = (found: Found, plan: SettlePlan, cores: number) => {
  const baselines = baselinesOf(found)
  const { accept, claim, mainnet, testnet } = found
  return {
    bench: "settle",
    utilisation_mainnet: mainnet?.utilisation ?? null,
    utilisation_testnet: testnet?.utilisation ?? null,
    ratio_single: baselines === undefined ? null : ratios(baselines).ratio_single,
    ratio_unbatched: baselines === undefined ? null : ratios(baselines).ratio_unbatched,
    worker_cpu: mainnet?.processor?.workers ?? null,
    postgres_cpu: mainnet?.processor?.postgres ?? null,
    cpu_unit: "cores",
    limit: mainnet === undefined ? null : limitOf(mainnet, cores),
    accept_p95_ledgers: accept?.p95_ledgers ?? null,
    accept_p50_seconds: accept?.p50_seconds ?? null,
    accept_p95_seconds: accept?.p95_seconds ?? null,
    claim_p50_ms_at_0: claim?.empty.p50_ms ?? null,
    claim_p99_ms_at_0: claim?.empty.p99_ms ?? null,
    claim_p50_ms_with_history: claim?.history.p50_ms ?? null,
    claim_p99_ms_with_history: claim?.history.p99_ms ?? null,
    agreement: [mainnet, testnet, found.single, found.unbatched].every(
      (run) => run?.agreement.oneToOne !== false,
    ),
    finished: [mainnet, testnet, found.single, found.unbatched].every((run) => run?.finished !== false),
    ...found,
    settings: plan,
  }
}

export type Summary = ReturnType<typeof summary> & { readonly hardware: ReturnType<typeof hardware> }

const runParts = Effect.fnUntraced(function* (
  { parts, plan }: Chosen,
  stage: Stage,
  print: (text: string) => void,
) {
  const found: Found = {}
  const { cores } = hardware()
  const wants = (part: Part) => parts.includes(part)
  const settle = Effect.fnUntraced(function* (run: SettleRun) {
    const settled = yield* measureSettlement(stage, run)
    print(settledTable(settled, cores))
    return settled
  })
  if (wants("mainnet")) found.mainnet = yield* settle(fullRun(plan, "mainnet"))
  if (wants("testnet")) found.testnet = yield* settle(fullRun(plan, "testnet"))
  if (wants("baselines")) {
    const channels = found.mainnet?.channels ?? plan.channels ?? 20
    found.single = yield* measureSettlement(stage, baselineRun(plan, "one account", 1))
    found.unbatched = yield* measureSettlement(stage, baselineRun(plan, "unbatched", channels))
    const baselines = baselinesOf(found)
    print(
      baselines === undefined
        ? `${settledTable(found.single, cores)}\n${settledTable(found.unbatched, cores)}`
        : baselineTable(baselines),
    )
  }
  if (wants("accept")) {
    found.accept = yield* measureAccept(stage, plan.accept)
    print(acceptTable(found.accept))
  }
  if (wants("claim")) {
    found.claim = yield* measureClaim(stage, plan.claim)
    print(claimTable(found.claim))
  }
  return found
})

/** Runs the chosen parts one after the other and prints as it goes; everything that it started has ended then. */
export const benchSettle = Effect.fn("benchSettle")(function* (
  chosen: Chosen,
  print: (text: string) => void,
) {
  const machine = hardware()
  print(hardwareTable(machine))
  const ground = yield* openGround
  const ledgerFile = join(ground.directory, "ledger")
  const accounts = writeAccounts(ledgerFile, chosen.plan.wallets, Math.floor(Date.now() / 1000))
  const found = yield* runParts(chosen, { ground, accounts, ledgerFile }, print)
  const result: Summary = { ...summary(found, chosen.plan, machine.cores), hardware: machine }
  print("")
  print(JSON.stringify(result))
  return result
}, Effect.scoped)
