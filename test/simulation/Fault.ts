/** What goes wrong in a run, and when: data, so that a failing run is a list to print and to make shorter. */
import type { Fault as NetworkFault } from "../../layers/localnet/faults/FaultPlan.ts"

/**
 * Which of a program's steps: any, one that writes, the end of a transaction, a sending, another call, or one that is
 * seldom taken: most steps are looks at whether there is anything to do.
 */
export type StepKind = "any" | "write" | "commit" | "send" | "call" | "rare"

/** The first step of the program of that kind once so many ms have passed. */
interface AtStep {
  readonly program: string
  readonly afterMs: number
  readonly on: StepKind
  /** before: the step does not happen (then). after: it happens, and its answer meets with the fault. */
  readonly moment: "before" | "after"
}

export type Fault =
  /** Memory is gone at once; sessions at the database live on for `lingerMs`; started anew after `restartMs`. */
  | (AtStep & {
      readonly kind: "crash"
      readonly restartMs: number
      readonly lingerMs: number
    })
  /** Told to stop: finalizers run. */
  | (AtStep & { readonly kind: "stop"; readonly restartMs: number })
  /** Nothing of the program moves for so long; then it goes on with what it knew. */
  | (AtStep & { readonly kind: "freeze"; readonly forMs: number })
  /** The connection to the database breaks: before, the statement is not carried out; after, it was. */
  | (AtStep & { readonly kind: "connection_lost" })
  /** The answer takes so much longer. */
  | (AtStep & { readonly kind: "slow"; readonly byMs: number })
  /** No database: every session ends, and there is no new one. */
  | {
      readonly kind: "database_away"
      readonly afterMs: number
      readonly forMs: number
    }
  /** Behind the node's address are several, some of them so many ledgers behind. */
  | {
      readonly kind: "nodes_differ"
      readonly afterMs: number
      readonly forMs: number
      readonly behindLedgers: number
    }
  /** Somebody takes most of the treasury away, and brings it back. */
  | { readonly kind: "drain"; readonly afterMs: number; readonly forMs: number }
  /** A customer gives up a trustline, and makes it anew. */
  | {
      readonly kind: "line_gone"
      readonly wallet: number
      readonly afterMs: number
      readonly forMs: number
    }
  /** Somebody wraps the next envelope that is sent into a fee bump of theirs. */
  | { readonly kind: "stranger_bumps"; readonly afterMs: number }
  /** Of the embedded network's own plan. */
  | { readonly kind: "network"; readonly fault: NetworkFault }

export type StepFault = Extract<Fault, AtStep>
export type TimedFault = Exclude<Fault, StepFault | { readonly kind: "network" }>
