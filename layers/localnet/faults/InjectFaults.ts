/**
 * A network with a plan of faults in front of it. It keeps all the engine's rules: what is late, dropped or
 * outbid is so by what consensus takes, and a node that lags tells an older ledger that really closed.
 */
import type { Network } from "../Network.ts"
import type { CallFate, Calls } from "./Calls.ts"
import type { Fault, FaultKind, FaultPlan } from "./FaultPlan.ts"
import { laggingView } from "./LaggingView.ts"
import { makeSchedule, type Schedule } from "./Schedule.ts"
import { makeSubmissions } from "./Submissions.ts"
import { makeTraffic } from "./Traffic.ts"

/** A fault that took place. */
export interface Injection {
  readonly kind: FaultKind
  /** Ledgers that had closed since the plan began. */
  readonly ledger: number
  /** What it was about: a transaction's hash, or the kind of call. */
  readonly about: string
}

export interface FaultyNetwork {
  readonly plan: FaultPlan
  /** What the servers and the direct layers show, and what the clock closes. */
  readonly network: Network
  readonly calls: Calls
}

export interface InjectFaultsOptions {
  /** Told of every fault as it takes place; a window that opens is told of once. */
  readonly onFault?: (injection: Injection) => void
}

/** Ledgers ahead of a surge in which its accounts are made. */
const PREPARE_LEDGERS = 3

const CALL_FAULTS = ["request_lost", "answer_lost", "gateway_timeout", "rate_limited"] as const
type CallFault = Extract<Fault, { readonly kind: (typeof CALL_FAULTS)[number] }>

const fate = (fault: CallFault | undefined): CallFate => {
  switch (fault?.kind) {
    case undefined:
      return { answer: "given", reached: true }
    case "request_lost":
      return { answer: "lost", reached: false }
    case "answer_lost":
      return { answer: "lost", reached: true }
    case "gateway_timeout":
      return { answer: "gateway_timeout", reached: fault.reached }
    case "rate_limited":
      return { answer: "rate_limited", reached: false }
  }
}

const hasSurge = (plan: FaultPlan): boolean => plan.faults.some(({ kind }) => kind === "fee_surge")

/** Fills the ledgers while a surge lasts, and makes its accounts before. */
const makeSurge = (network: Network, plan: FaultPlan, schedule: Schedule) => {
  const traffic = hasSurge(plan) ? makeTraffic(network) : undefined
  return (): void => {
    if (traffic === undefined) return
    const soon = Array.from({ length: PREPARE_LEDGERS + 1 }, (_, ahead) => schedule.live("fee_surge", ahead))
    if (soon.some((faults) => faults.length > 0)) traffic.prepare()
    for (const { waitingLedgers, bidStroops } of schedule.live("fee_surge")) {
      traffic.fill(waitingLedgers, bidStroops)
    }
  }
}

/** Friendbot's own envelopes, which no fault is meant for. */
const makeExemptions = (network: Network) => {
  const handedOut = new Set<string>()
  const MANY = 1000
  return {
    friendbot: (address: string): string => {
      const envelopeXdr = network.friendbot(address)
      if (handedOut.size >= MANY) handedOut.clear()
      handedOut.add(envelopeXdr)
      return envelopeXdr
    },
    take: (envelopeXdr: string): boolean => handedOut.delete(envelopeXdr),
  }
}

const WINDOWS = ["lag", "not_found", "fee_surge"] as const

export const injectFaults = (
  network: Network,
  plan: FaultPlan,
  { onFault = () => undefined }: InjectFaultsOptions = {},
): FaultyNetwork => {
  const schedule = makeSchedule(plan)
  const tell = (kind: FaultKind, about: string): void => onFault({ kind, ledger: schedule.closed(), about })
  const behind = (): number => Math.max(0, ...schedule.live("lag").map(({ behindLedgers }) => behindLedgers))
  const view = laggingView(network, behind)
  const { entry } = view
  const submissions = makeSubmissions({ network, schedule, behind, entry, onFault: tell })
  const exempt = makeExemptions(network)
  const surge = makeSurge(network, plan, schedule)
  const told = new Set<Fault>()
  const step = (): void => {
    surge()
    for (const kind of WINDOWS) {
      for (const fault of schedule.live(kind)) {
        if (!told.has(fault)) tell(kind, JSON.stringify(fault))
        told.add(fault)
      }
    }
  }
  network.onClose(() => {
    schedule.ledgerClosed()
    step()
    view.catchUp()
  })
  step()

  const faulty: Network = {
    ...network,
    ...view,
    transaction: (hash) => (schedule.live("not_found").length > 0 ? undefined : view.transaction(hash)),
    submit: (envelopeXdr) =>
      exempt.take(envelopeXdr) ? network.submit(envelopeXdr) : submissions.submit(envelopeXdr),
    closeLedger: (closeTime) => {
      if (!schedule.stalls()) return network.closeLedger(closeTime, submissions.agreed())
      tell("stall", "no ledger")
      return network.latest()
    },
    friendbot: exempt.friendbot,
  }
  const fateOf: Calls["fateOf"] = (kind) => {
    const fault = schedule.strike(CALL_FAULTS, kind)
    if (fault !== undefined) tell(fault.kind, kind)
    return fate(fault)
  }
  return { plan, network: faulty, calls: { fateOf } }
}
