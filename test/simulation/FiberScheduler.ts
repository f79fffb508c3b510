/**
 * Effect's scheduler for one program of a simulation: fibers that are ready are run by the world's loop, in an order
 * that the seed says. Nothing of a dead program ever runs.
 */
import type { Scheduler } from "effect"
import type { Chance } from "./Chance.ts"

interface Task {
  readonly run: () => void
  readonly priority: number
}

export interface FiberScheduler {
  readonly scheduler: Scheduler.Scheduler
  /** Runs what is ready, and what becomes ready by it, until everything waits. */
  readonly drain: () => void
  readonly stop: () => void
}

export const makeFiberScheduler = (chance: Chance): FiberScheduler => {
  let tasks: Array<Task> = []
  let isStopped = false

  const takeNext = (): Task | undefined => {
    const urgent = Math.min(...tasks.map(({ priority }) => priority))
    const ready = tasks.filter(({ priority }) => priority === urgent)
    const chosen = ready.length === 1 ? ready[0] : ready[chance.below(ready.length)]
    if (chosen !== undefined) tasks.splice(tasks.indexOf(chosen), 1)
    return chosen
  }
  const drain = (): void => {
    while (tasks.length > 0) takeNext()?.run()
  }
  const dispatcher: Scheduler.SchedulerDispatcher = {
    scheduleTask: (run, priority) => {
      if (!isStopped) tasks.push({ run, priority })
    },
    flush: drain,
  }
  return {
    scheduler: {
      executionMode: "async",
      shouldYield: (fiber) => fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield,
      makeDispatcher: () => dispatcher,
    },
    drain,
    stop: () => {
      isStopped = true
      tasks = []
    },
  }
}
