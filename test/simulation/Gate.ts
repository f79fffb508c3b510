/**
 * Where every step of a program waits before anything outside of it happens: a statement, or a call of the network.
 * It takes its time by the seed, and this is where faults strike.
 */
import { Effect, type Exit } from "effect"
import type { StepFault, StepKind } from "./Fault.ts"
import type { Process } from "./Process.ts"
import type { Occasion, World } from "./World.ts"

export interface Step<A, E> {
  readonly label: string
  readonly kinds: ReadonlySet<StepKind>
  /** ms on the way there and back: the most that is usual. */
  readonly usualMs: number
  /** Carries it out on the other side and says what came of it, at once or when it can. */
  readonly carryOut: (done: (exit: Exit.Exit<A, E>) => void) => void | Promise<void>
  /** Whether it may be carried out although nobody waits for its answer any more. */
  readonly mayBeOrphan: () => boolean
  /** Ends it where it is being carried out and cannot go on. */
  readonly giveUp: () => Effect.Effect<void>
  /** The connection is gone: what the program is told. */
  readonly breakOff: () => Exit.Exit<A, E>
  readonly describe: (value: A) => string
  readonly describeError: (error: E) => string
}

export interface Blows {
  /** The fault that is due for this process at such a step, if there is one. */
  readonly strike: (
    process: Process,
    step: { readonly kinds: ReadonlySet<StepKind>; readonly label: string },
  ) => StepFault | undefined
  readonly crash: (process: Process, fault: Extract<StepFault, { kind: "crash" }>) => void
  readonly stop: (process: Process, fault: Extract<StepFault, { kind: "stop" }>) => void
  readonly freeze: (process: Process, forMs: number) => void
}

export interface Gate {
  readonly pass: <A, E>(process: Process, step: Step<A, E>) => Effect.Effect<A, E>
}

/** One in so many steps takes long for no reason. */
const SLOW_SHARE = 0.02
const SLOW_MS = 400

export const makeGate = (world: World, blows: Blows): Gate => {
  const latency = ({ chance }: Process, usualMs: number): number =>
    chance.isTrue(SLOW_SHARE) ? chance.below(SLOW_MS) : chance.below(usualMs + 1)

  const pass = <A, E>(process: Process, step: Step<A, E>): Effect.Effect<A, E> =>
    Effect.callback<A, E>((resume) => {
      const fault = blows.strike(process, step)
      if (fault !== undefined) {
        world.say("fault", `${fault.kind} of ${process.name}, ${fault.moment}: ${step.label}`)
      }
      const before = fault?.moment === "before" ? fault : undefined
      const after = fault?.moment === "after" ? fault : undefined
      let state: "waiting" | "carried" | "answered" | "abandoned" = "waiting"
      let occasion: Occasion | undefined
      let forget: (() => void) | undefined

      const answer = (exit: Exit.Exit<A, E>, delayMs: number): void => {
        if (state === "abandoned") return
        state = "answered"
        forget = process.deliver(delayMs, () => resume(exit))
      }
      const strikeAfter = (exit: Exit.Exit<A, E>): Exit.Exit<A, E> => {
        if (after?.kind === "crash") blows.crash(process, after)
        if (after?.kind === "stop") blows.stop(process, after)
        if (after?.kind === "freeze") blows.freeze(process, after.forMs)
        return after?.kind === "connection_lost" ? step.breakOff() : exit
      }
      const carry = (): void | Promise<void> => {
        const isWanted = process.isAlive() && state !== "abandoned"
        if (!isWanted && !(step.mayBeOrphan() && process.chance.isTrue(0.5))) return
        if (state === "waiting") state = "carried"
        return step.carryOut((exit) => {
          const said = exit._tag === "Success" ? step.describe(exit.value) : describeCause(exit, step)
          world.say(process.name, `${step.label} -> ${said}${isWanted ? "" : " (nobody waits)"}`)
          const seen = strikeAfter(exit)
          answer(seen, latency(process, step.usualMs) + (after?.kind === "slow" ? after.byMs : 0))
        })
      }
      const issue = (delayMs: number): void => {
        occasion = world.after(delayMs + latency(process, step.usualMs), carry)
      }
      switch (before?.kind) {
        case "crash":
          world.after(0, () => blows.crash(process, before))
          break
        case "stop":
          world.after(0, () => blows.stop(process, before))
          issue(0)
          break
        case "freeze":
          blows.freeze(process, before.forMs)
          issue(before.forMs)
          break
        case "connection_lost":
          answer(step.breakOff(), latency(process, step.usualMs))
          break
        default:
          issue(before?.kind === "slow" ? before.byMs : 0)
      }
      return Effect.suspend(() => {
        const was = state
        state = "abandoned"
        forget?.()
        if (was === "waiting" && !step.mayBeOrphan() && occasion !== undefined) occasion.cancelled = true
        return was === "carried" ? step.giveUp() : Effect.void
      })
    })
  return { pass }
}

const describeCause = <A, E>(exit: Exit.Failure<A, E>, step: Step<A, E>): string => {
  const [reason] = exit.cause.reasons
  return reason?._tag === "Fail" ? step.describeError(reason.error) : `defect ${String(exit.cause)}`
}
