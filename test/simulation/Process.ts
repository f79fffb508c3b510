/**
 * A program that runs in the simulated world, from one start to its end: its clock, its fibers, and whether anything
 * still reaches it. A process that was killed is never told anything again; one that is frozen is told later.
 */
import { Clock, Context, Duration, Effect, Random, Scheduler } from "effect"
import type { Chance } from "./Chance.ts"
import { type FiberScheduler, makeFiberScheduler } from "./FiberScheduler.ts"
import type { World } from "./World.ts"

export interface Process {
  /** "worker-1", whichever start it is. */
  readonly program: string
  /** "worker-1#2": the second start of it. */
  readonly name: string
  readonly chance: Chance
  readonly fibers: FiberScheduler
  /** Clock, scheduler and randomness, for everything that runs in it. */
  readonly context: Context.Context<never>
  readonly isAlive: () => boolean
  /** ms since the world began until which nothing moves. */
  readonly frozenUntilMs: () => number
  readonly freeze: (forMs: number) => void
  /** Tells the process something after so long, unless it is dead by then. */
  readonly deliver: (delayMs: number, tell: () => void) => () => void
  /** No more of it. What is to be done at its end is told what kind of end it was. */
  readonly end: (how: "killed" | "exited") => void
  readonly onEnd: (run: (how: "killed" | "exited") => void) => void
}

const NANOS = 1_000_000n

const clockOf = (world: World, aheadMs: number, deliver: Process["deliver"]): Clock.Clock => {
  const nowMs = () => world.nowMs() + aheadMs
  const nanos = () => BigInt(nowMs()) * NANOS
  const monotonicNanos = () => BigInt(world.sinceBegin()) * NANOS
  return {
    currentTimeMillisUnsafe: nowMs,
    currentTimeMillis: Effect.sync(nowMs),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonicNanos,
    monotonicTimeNanos: Effect.sync(monotonicNanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const forget = deliver(Duration.toMillis(duration), () => resume(Effect.void))
        return Effect.sync(forget)
      }),
  }
}

const randomOf = (chance: Chance) => ({
  nextIntUnsafe: () => chance.between(-(2 ** 30), 2 ** 30),
  nextDoubleUnsafe: () => chance.below(2 ** 30) / 2 ** 30,
})

export interface ProcessOptions {
  readonly program: string
  readonly name: string
  /** Of this very start, so that each one draws other identifiers. */
  readonly chance: Chance
  /** What the clock of its machine is ahead of the world's time, in ms; negative where it is slow. */
  readonly clockAheadMs: number
}

export const makeProcess = (
  world: World,
  { chance, clockAheadMs, name, program }: ProcessOptions,
): Process => {
  const fibers = makeFiberScheduler(chance)
  const ends: Array<(how: "killed" | "exited") => void> = []
  let alive = true
  let frozenUntil = 0

  const deliver: Process["deliver"] = (delayMs, tell) => {
    let at = world.after(delayMs, arrive)
    function arrive(): void {
      if (!alive) return
      if (world.sinceBegin() < frozenUntil) {
        at = world.after(frozenUntil - world.sinceBegin(), arrive)
        return
      }
      tell()
      fibers.drain()
    }
    return () => {
      at.cancelled = true
    }
  }
  const clock = clockOf(world, clockAheadMs, deliver)
  const context = Context.make(Clock.Clock, clock).pipe(
    Context.add(Scheduler.Scheduler, fibers.scheduler),
    Context.add(Random.Random, randomOf(chance)),
  )
  return {
    program,
    name,
    chance,
    fibers,
    context: context as Context.Context<never>,
    isAlive: () => alive,
    frozenUntilMs: () => frozenUntil,
    freeze: (forMs) => {
      frozenUntil = Math.max(frozenUntil, world.sinceBegin() + forMs)
    },
    deliver,
    end: (how) => {
      if (!alive) return
      alive = false
      fibers.stop()
      for (const run of ends.splice(0)) run(how)
    },
    onEnd: (run) => {
      ends.push(run)
    },
  }
}
