/** Whether a program that was just started answers over HTTP yet. */
import { Effect } from "effect"

/** Longest wait for one answer, in ms. */
const ANSWER_MS_MAX = 1_000

/** True once the address answers with a status below 300. */
export const answers = (url: string): Effect.Effect<boolean> =>
  Effect.promise(async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) })
      await response.body?.cancel()
      return response.ok
    } catch {
      return false
    }
  })
