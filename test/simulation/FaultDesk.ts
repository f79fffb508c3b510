/** Keeps the faults that strike at steps of programs, until each has struck once or faults are over. */
import type { Fault, StepFault, StepKind } from "./Fault.ts"

const isStepFault = (fault: Fault): fault is StepFault => "on" in fault

/** A step is rare while fewer than one in so many were like it. */
const RARE = 40

export const makeFaultDesk = (faults: ReadonlyArray<Fault>, sinceBegin: () => number) => {
  let armed = faults.filter(isStepFault).toSorted((one, other) => one.afterMs - other.afterMs)
  const taken = new Map<string, number>()
  let steps = 0
  return {
    /** One fault at a step: the others wait for their next chance. */
    strike: (program: string, kinds: ReadonlySet<StepKind>, label: string): StepFault | undefined => {
      const times = (taken.get(label) ?? 0) + 1
      taken.set(label, times)
      const isRare = times * RARE < ++steps
      const due = armed.find(
        (fault) =>
          fault.afterMs <= sinceBegin() &&
          fault.program === program &&
          (fault.on === "rare" ? isRare : kinds.has(fault.on)),
      )
      if (due !== undefined) armed = armed.filter((fault) => fault !== due)
      return due
    },
    disarm: (): void => {
      armed = []
    },
  }
}
