/** Which faults of a plan are live, ledger by ledger, and which calls they hit. */
import type { CallKind, Fault, FaultKind, FaultPlan } from "./FaultPlan.ts"

type FaultOf<Kind extends FaultKind> = Extract<Fault, { readonly kind: Kind }>
type CountedFault = Extract<Fault, { readonly times: number }>
type WindowFault = Exclude<Fault, CountedFault | { readonly kind: "stall" }>

export interface Schedule {
  /** Ledgers that closed since the plan began. */
  readonly closed: () => number
  readonly ledgerClosed: () => void
  /** Windows of a kind that are open `ahead` ledgers from now. */
  readonly live: <Kind extends WindowFault["kind"]>(
    kind: Kind,
    ahead?: number,
  ) => ReadonlyArray<FaultOf<Kind>>
  /** The fault that hits this call, if one does: asking counts the call. */
  readonly strike: <Kind extends CountedFault["kind"]>(
    kinds: ReadonlyArray<Kind>,
    on?: CallKind,
  ) => FaultOf<Kind> | undefined
  /** Whether this close does not happen: asking counts it. */
  readonly stalls: () => boolean
}

interface Armed {
  readonly fault: Fault
  skipped: number
  hit: number
}

const arm = (plan: FaultPlan): ReadonlyArray<Armed> =>
  plan.faults.map((fault) => ({ fault, skipped: 0, hit: 0 }))

const isOpen = (fault: { readonly ledger: number; readonly ledgers: number }, at: number): boolean =>
  fault.ledger <= at && at < fault.ledger + fault.ledgers

const isOf = <Kind extends FaultKind>(fault: Fault, kinds: ReadonlyArray<Kind>): fault is FaultOf<Kind> =>
  kinds.some((kind) => kind === fault.kind)

export const makeSchedule = (plan: FaultPlan): Schedule => {
  let armed = arm(plan)
  let closed = 0
  /** Where in the plan `ahead` ledgers from now are. */
  const at = (ahead = 0): number => (plan.repeats ? (closed + ahead) % plan.ledgers : closed + ahead)

  const hits = (one: Armed, on: CallKind | undefined): boolean => {
    const { fault } = one
    if (!("times" in fault) || !isOpen(fault, at())) return false
    if ("on" in fault && fault.on !== on) return false
    if (one.hit >= fault.times) return false
    if (one.skipped < fault.skip) {
      one.skipped++
      return false
    }
    one.hit++
    return true
  }

  return {
    closed: () => closed,
    ledgerClosed: () => {
      closed++
      if (plan.repeats && at() === 0) armed = arm(plan)
    },
    live: (kind, ahead) => {
      const found: Array<FaultOf<typeof kind>> = []
      for (const { fault } of armed) {
        if (isOf(fault, [kind]) && isOpen(fault, at(ahead))) found.push(fault)
      }
      return found
    },
    strike: (kinds, on) => {
      for (const one of armed) {
        if (isOf(one.fault, kinds) && hits(one, on)) return one.fault
      }
      return undefined
    },
    stalls: () => {
      for (const one of armed) {
        if (one.fault.kind !== "stall" || one.fault.ledger !== at()) continue
        if (one.hit++ < one.fault.intervals) return true
      }
      return false
    },
  }
}
