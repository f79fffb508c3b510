/** What kinds of fault a plan is made of, and how many. */
import type { FaultKind } from "./FaultPlan.ts"

export interface FaultProfile {
  readonly name: string
  /** How many ledgers the plan is for. */
  readonly ledgers: number
  /** Ledgers between the beginnings of two faults, at least and at most. */
  readonly spacingLedgers: readonly [number, number]
  /** How often each kind is drawn, in relation to the others. */
  readonly weights: Readonly<Partial<Record<FaultKind, number>>>
}

const SPAN_LEDGERS = 200

const profile = (
  name: string,
  spacingLedgers: readonly [number, number],
  weights: FaultProfile["weights"],
): FaultProfile => ({ name, ledgers: SPAN_LEDGERS, spacingLedgers, weights })

const WIRE = { request_lost: 2, answer_lost: 3, gateway_timeout: 3, rate_limited: 2 }
const QUEUE = { dropped: 2, late: 3, hash_ban: 2 }
const NODE = { lag: 3, not_found: 2 }
const LEDGER = { stall: 1, fee_surge: 1 }

export const FAULT_PROFILES = {
  /** Connections and gateways. */
  wire: profile("wire", [1, 6], WIRE),
  /** What becomes of transactions that were accepted. */
  queue: profile("queue", [1, 6], QUEUE),
  /** A node that does not tell the present. */
  node: profile("node", [2, 8], NODE),
  /** Ledgers that are late or full. */
  ledger: profile("ledger", [4, 12], LEDGER),
  /** Others who bid for the same ledgers: low bids wait or are refused, now and then, for some ledgers. */
  surge: profile("surge", [4, 12], { fee_surge: 1 }),
  /** Everything. */
  mixed: profile("mixed", [0, 5], { ...WIRE, ...QUEUE, ...NODE, ...LEDGER }),
} satisfies Record<string, FaultProfile>

export type FaultProfileName = keyof typeof FAULT_PROFILES
