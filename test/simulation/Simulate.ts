/**
 * One run: the real programs in one process, on virtual time, by a seed. First a phase with faults, in which nothing
 * may ever be wrong; then one without, in which everything must come to its end; then the invariants.
 */

import { injectFaults } from "../../layers/localnet/faults/InjectFaults.ts"
import type { Network } from "../../layers/localnet/Network.ts"
import type { IssuanceSettings } from "../../src/issuance/IssuanceSettings.ts"
import { settings } from "../support/TestNetwork.ts"
import { type Chance, chanceOf } from "./Chance.ts"
import { isDrained } from "./CheckEnds.ts"
import { checkAll, checkPaid, readRows } from "./Checks.ts"
import { type Fortunes, GOOD } from "./Customers.ts"
import { makeDatabase } from "./Database.ts"
import { APIS, drawFaults, WORKERS } from "./DrawFaults.ts"
import type { Fault } from "./Fault.ts"
import { makeFaultDesk } from "./FaultDesk.ts"
import { makeGate } from "./Gate.ts"
import { makeLedgerBook } from "./LedgerBook.ts"
import { CAMPAIGNS } from "./Merchants.ts"
import { makeNodes } from "./Nodes.ts"
import { openCustomers } from "./OpenCustomers.ts"
import { makeOrders } from "./Orders.ts"
import { makePrograms, type Programs } from "./Programs.ts"
import type { RealSessions } from "./RealSessions.ts"
import { openShop } from "./Shop.ts"
import { makeStage, setStage } from "./Stage.ts"
import { traceHeader } from "./TraceHeader.ts"
import { makeStranger, makeWeather } from "./Weather.ts"
import { BEGIN_MS, makeWorld, type World } from "./World.ts"

export interface Outcome {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  readonly trace: ReadonlyArray<string>
  readonly faults: ReadonlyArray<Fault>
  readonly virtualMs: number
  readonly paid: number
}

const LEDGER_MS = 5_000

/** In which everything comes to its end once nothing goes wrong any more. */
const LEDGERS_TO_DRAIN = 60

/**
 * As long as the world goes on at least once nothing goes wrong any more: whoever sleeps wakes up, and what the network
 * has held back arrives, though the tables may say long before that all is done.
 */
const LEDGERS_TO_WAKE = 12

/** By then no program has an excuse for ending by itself. */
const LEDGERS_OF_EXCUSE = 3

/** A seed's own: phases, sizes, and how the programs are set. */
const drawScene = (chance: Chance) => ({
  safetyLedgers: chance.between(10, 22),
  workers: chance.between(2, WORKERS.length),
  operationsMax: chance.pick([120, 200] as const),
  treasuryStroops: BigInt(chance.between(4, 60)) * 500_0000n,
  settings: {
    channels: chance.between(2, 4),
    paymentsMax: chance.pick([3, 8, 100] as const),
    // At times what a batch may pay is less than what is bound to it, so that some of it is left out.
    transactionStroopsMax: chance.pick([1_000_000_0000000n, 1_000_000_0000000n, 2_0000000n] as const),
    envelopeLedgers: chance.between(3, 8),
    pollIntervalMs: chance.pick([1_000, 2_000, 3_000] as const),
    leaseMs: chance.pick([8_000, 15_000] as const),
  },
  isNamed: chance.isTrue(0.5),
  waitsForBalances: chance.isTrue(0.25),
  hasWrongClocks: chance.isTrue(0.3),
  linelessJoins: chance.isTrue(0.3),
})

const fortunesOf = (faults: ReadonlyArray<Fault>, linelessJoins: boolean): Fortunes => ({
  linelessJoins,
  linesGone: new Set(
    faults.flatMap((fault) => (fault.kind === "line_gone" ? [GOOD[fault.wallet]?.publicKey() ?? ""] : [])),
  ),
})

/**
 * A machine's clock is right, seconds off (about a lease), or minutes: less than a time bound, beyond which nothing can
 * be paid from there.
 */
const drawClock = (chance: Chance): number => {
  const kind = chance.below(10)
  if (kind < 4) return 0
  return kind < 8 ? chance.between(-12_000, 12_000) : chance.between(-150_000, 150_000)
}

const writeMerchants = async (real: RealSessions): Promise<void> => {
  // Long ago, for a slow clock too.
  const now = new Date(BEGIN_MS - 3_600_000)
  for (const id of new Set(CAMPAIGNS.map(({ owner }) => owner.merchantId))) {
    await real.query("INSERT INTO merchants (id, name, created_at) VALUES ($1, 'Shop', $2)", [id, now])
  }
  for (const one of CAMPAIGNS) {
    await real.query(
      `INSERT INTO campaigns (id, merchant_id, mode, name, status, starts_at, budget_stroops, on_missing_trustline,
        reclaim_after_s, wallet_cap_stroops, wallet_cap_period, created_at, updated_at)
       VALUES ($1, $2, 'test', 'Welcome', 'active', $3, $4, $5, 60, $6, $7, $3, $3)`,
      [
        one.id,
        one.owner.merchantId,
        now,
        one.budgetStroops,
        one.onMissingTrustline,
        one.walletCapStroops,
        one.walletCapStroops === null ? null : "campaign",
      ],
    )
  }
}

/**
 * Somebody who looks after the programs: a pause that has its reason is ended, one without is a fault of theirs. That
 * the treasury did not suffice is one where the ledger has said so, though the programs may learn of it much later.
 */
const lookAfter = async (real: RealSessions, world: World, hasLackedMoney: boolean): Promise<void> => {
  const [control] = await real.query("SELECT paused_reason FROM issuance_control WHERE paused_at IS NOT NULL")
  if (control === undefined) return
  const reason = String(control.paused_reason)
  world.say("operator", `resumes what was paused: ${reason}`)
  if (!(hasLackedMoney && /underfunded/.test(reason)))
    world.violate(`issuing was paused without a cause: ${reason}`)
  await real.query("UPDATE issuance_control SET paused_at = NULL, paused_reason = NULL")
}

/** @param choose which of the seed's faults take place: all of them, unless somebody looks for the ones that matter */
export const simulate = async (
  seed: number,
  real: RealSessions,
  choose: (faults: ReadonlyArray<Fault>) => ReadonlyArray<Fault> = (faults) => faults,
): Promise<Outcome> => {
  const scene = drawScene(chanceOf(seed, "scene"))
  const safetyMs = scene.safetyLedgers * LEDGER_MS
  const drawn = drawFaults(seed, safetyMs, scene.safetyLedgers)
  const planned = choose(drawn)
  const world = makeWorld(chanceOf(seed, "world"))
  for (const line of traceHeader(seed, scene, drawn, planned)) world.say("world", line)
  const stage = makeStage(world, scene.operationsMax)
  setStage(stage, scene.treasuryStroops)
  const stranger = makeStranger(stage.network)
  stranger.fund()
  await real.empty()
  await writeMerchants(real)

  const desk = makeFaultDesk(planned, world.sinceBegin)
  let programs: Programs | undefined
  const gate = makeGate(world, {
    strike: (process, { kinds, label }) => desk.strike(process.program, kinds, label),
    crash: (process, fault) => programs?.crash(process, fault),
    stop: (process, fault) => programs?.stop(process, fault.restartMs),
    freeze: (process, forMs) => {
      process.freeze(forMs)
      database.wasFrozen(process)
    },
  })
  const database = makeDatabase(world, real, gate)
  const watched: Network = { ...stage.network, submit: stranger.submit }
  const networkFaults = planned.flatMap((fault) => (fault.kind === "network" ? [fault.fault] : []))
  const faulty = injectFaults(
    watched,
    {
      seed: String(seed),
      profile: "simulation",
      ledgers: scene.safetyLedgers,
      repeats: false,
      faults: networkFaults,
    },
    {
      onFault: ({ about, kind }) => world.say("network", `${kind} ${about.slice(0, 40)}`),
    },
  )
  const nodes = makeNodes(watched, faulty)
  const weather = makeWeather({ database, nodes, stage, world }, stranger)
  const settingsOf = (program: string): IssuanceSettings["Service"] => ({
    ...settings,
    ...scene.settings,
    workerName: scene.isNamed ? program : undefined,
  })
  let ledgersSinceClear = -1
  const clockAheadMs = (program: string) =>
    scene.hasWrongClocks ? drawClock(chanceOf(seed, `clock of ${program}`)) : 0
  programs = makePrograms({
    clockAheadMs,
    database,
    gate,
    mustLive: () => ledgersSinceClear >= LEDGERS_OF_EXCUSE,
    nodes,
    seed,
    settingsOf,
    world,
  })
  const fortunes = fortunesOf(planned, scene.linelessJoins)
  const orders = makeOrders()
  const book = makeLedgerBook()
  const paidKeys = new Map<string, string>()
  let hasLackedMoney = false
  const close = (): void => {
    const before = stage.network.latest().sequence
    const ledger = faulty.network.closeLedger(world.nowMs() / 1000)
    if (ledger.sequence === before) return
    const paid = book.read(ledger)
    world.say(
      "ledger",
      `${ledger.sequence} closes: ${ledger.transactions.length} transactions, ${paid.length} rewards`,
    )
    checkPaid(paid, orders, paidKeys, world.violate)
    if (book.lacking(ledger).length === 0) return
    hasLackedMoney = true
    // What was signed before the treasury was drained may come to the ledger as late as that.
    if (!weather.wasDrained() || ledgersSinceClear >= LEDGERS_TO_WAKE)
      world.violate(`ledger ${ledger.sequence} has rewards for which the treasury did not suffice`)
  }
  const chance = chanceOf(seed, "ledgers")
  let isFinished = false
  const tick = async (): Promise<void> => {
    close()
    if (ledgersSinceClear >= 0) {
      ledgersSinceClear++
      weather.mend()
      await shop.resumeAll(real)
    }
    const ledger = stage.network.latest().sequence
    if (ledgersSinceClear >= 0 || ledger % 4 === 0) await lookAfter(real, world, hasLackedMoney)
    const mayEnd = ledgersSinceClear >= LEDGERS_TO_WAKE && shop.isQuiet()
    if (mayEnd && (await isDrained(await readRows(real), real, fortunes, scene.waitsForBalances)))
      isFinished = true
    else if (ledgersSinceClear >= LEDGERS_TO_DRAIN) isFinished = true
    else world.after(chance.between(LEDGER_MS - 1_000, LEDGER_MS + 1_000), tick)
  }
  world.after(LEDGER_MS, tick)
  for (const program of [...WORKERS.slice(0, scene.workers), ...APIS])
    world.after(chance.below(3_000), () => programs?.start(program))
  const shop = openShop({ seed, world, programs, orders, untilMs: safetyMs })
  weather.forecast(planned)
  openCustomers({ seed, world, stage, book, fortunes, untilMs: safetyMs })
  world.after(safetyMs, () => {
    world.say("world", "no more faults")
    desk.disarm()
    weather.clear()
    nodes.mend()
    weather.fill(100_0000000n)
    ledgersSinceClear = 0
  })
  while (!isFinished && (await world.step())) if (world.violations.length > 20) break
  if (!shop.isQuiet()) world.violate("a merchant never got an answer")
  await checkAll(real, book, orders, fortunes, world.violate)
  await database.abandonAll()
  return {
    seed,
    violations: world.violations,
    trace: world.trace,
    faults: drawn,
    virtualMs: world.sinceBegin(),
    paid: book.paid.length,
  }
}
