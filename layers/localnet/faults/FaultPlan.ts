/**
 * What goes wrong, and when: a plan is data. The same plan over the same calls and closes does the same
 * things, so that a run that failed is a plan to print and to run again.
 *
 * `ledger` counts the ledgers that closed since the plan began: a fault is live from when that many have
 * closed, for as many as `ledgers` says (unless it says otherwise).
 */

interface Window {
  readonly ledger: number
  readonly ledgers: number
}

/** Lets `skip` calls pass, then hits the next `times` while the window lasts. */
interface Counted extends Window {
  readonly skip: number
  readonly times: number
}

/** Which calls: those that hand in a transaction, or all others. Friendbot is left alone. */
export type CallKind = "submit" | "read"

interface OnCalls extends Counted {
  readonly on: CallKind
}

export type Fault =
  /** The request never arrives. */
  | (OnCalls & { readonly kind: "request_lost" })
  /** The request is carried out, accepted or applied; the answer never arrives. */
  | (OnCalls & { readonly kind: "answer_lost" })
  /** A gateway's 504; `reached` says whether the request was carried out behind it all the same. */
  | (OnCalls & { readonly kind: "gateway_timeout"; readonly reached: boolean })
  /** 429, nothing carried out. */
  | (OnCalls & { readonly kind: "rate_limited" })
  /** PENDING, then in no ledger: after four of them the queue drops and bans it. */
  | (Counted & { readonly kind: "dropped" })
  /** PENDING, then left out of `heldLedgers` ledgers: above four this node has dropped it, another has not. */
  | (Counted & { readonly kind: "late"; readonly heldLedgers: number })
  /** The node has the hash banned: TRY_AGAIN_LATER for ten ledgers, for that very envelope. */
  | (Counted & { readonly kind: "hash_ban" })
  /** The node is this many ledgers behind, in all that it tells and in what it judges a sequence by. */
  | (Window & { readonly kind: "lag"; readonly behindLedgers: number })
  /** Looked up by its hash, no transaction is found. */
  | (Window & { readonly kind: "not_found" })
  /** No ledger closes for so many intervals. */
  | { readonly kind: "stall"; readonly ledger: number; readonly intervals: number }
  /**
   * Others fill the ledgers with bids of this much an operation. `waitingLedgers` 1: cheaper transactions wait.
   * 2 (the queue's size): they are refused with tx_insufficient_fee.
   */
  | (Window & { readonly kind: "fee_surge"; readonly bidStroops: number; readonly waitingLedgers: 1 | 2 })

export type FaultKind = Fault["kind"]

export interface FaultPlan {
  /** What it was made from: seed and profile give the same plan again. */
  readonly seed: string
  readonly profile: string
  /** How many ledgers it is for. */
  readonly ledgers: number
  /** Begins again after its last ledger. */
  readonly repeats: boolean
  /** By `ledger`, ascending. */
  readonly faults: ReadonlyArray<Fault>
}

/** As one line of JSON. */
export const planJson = (plan: FaultPlan): string => JSON.stringify(plan)
