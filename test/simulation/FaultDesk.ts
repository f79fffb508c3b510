/** Keeps the faults that strike at steps of programs, until each has struck once or faults are over. */
import type { Fault, StepFault, StepKind } from "./Fault.ts"

const isStepFault = (fault: Fault): fault is StepFault => "on" in fault

export const makeFaultDesk = (faults: ReadonlyArray<Fault>, sinceBegin: () => number) => {
  let armed = faults.filter(isStepFault).toSorted((one, other) => one.afterMs - other.afterMs)
  return {
    /** One fault at a step: the others wait for their next chance. */
    strike: (program: string, kinds: ReadonlySet<StepKind>): StepFault | undefined => {
      const due = armed.find(
        (fault) => fault.afterMs <= sinceBegin() && fault.program === program && kinds.has(fault.on),
      )
      if (due !== undefined) armed = armed.filter((fault) => fault !== due)
      return due
    },
    disarm: (): void => {
      armed = []
    },
  }
}
