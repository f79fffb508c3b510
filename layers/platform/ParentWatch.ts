/**
 * Notices the death of the process that started us, so that a killed launcher or supervisor takes its children along.
 *
 * Whoever starts a program of ours names itself in NOVA_PARENT_PID. When it dies the kernel gives us another parent.
 * A polled parent number works on every system and needs no pipe, which a grandchild could keep open.
 */
import { Config, Effect, Option } from "effect"

/** The environment that tells a child to watch us. */
export const watchedByChild = (): Record<string, string> => ({ NOVA_PARENT_PID: String(process.pid) })

const pollIntervalMs = 250

const expectedParent = Config.Int("NOVA_PARENT_PID").pipe(Config.option)

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}

/**
 * Completes when our parent has died; never when nobody asked us to watch. A setting that a grandparent left in the
 * environment (it lives, but is not our parent) asks nothing of us.
 */
export const parentDeath: Effect.Effect<void> = Effect.gen(function* () {
  const expected = Option.getOrUndefined(
    yield* Effect.orElseSucceed(expectedParent, () => Option.none<number>()),
  )
  if (expected === undefined) return yield* Effect.never
  if (process.ppid !== expected) return exists(expected) ? yield* Effect.never : undefined
  while (process.ppid === expected) yield* Effect.sleep(pollIntervalMs)
})
