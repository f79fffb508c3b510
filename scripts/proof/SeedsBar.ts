/**
 * The progress of the seeds: a bar with seeds a minute and the time that is left; where the output is no terminal, a
 * line at each hundredth, but no more than one in ten seconds.
 */
import { progressLine } from "../../src/demo/ProgressBar.ts"

const SECONDS_PER_MINUTE = 60

/** "1 h 05 min", "3 min", "20 s" */
export const durationOf = (seconds: number): string => {
  const minutes = Math.round(seconds / SECONDS_PER_MINUTE)
  if (seconds < SECONDS_PER_MINUTE) return `${Math.round(seconds)} s`
  if (minutes < 60) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`
}

/** `before` were done by earlier runs: they count for the bar, not for the pace. */
export const paceLine = (before: number, done: number, total: number, seconds: number): string => {
  const perSecond = (done - before) / seconds
  const pace = `${(perSecond * SECONDS_PER_MINUTE).toFixed(1)} a minute`
  return `${progressLine("seeds", done, total)}  ${pace}, ${durationOf((total - done) / perSecond)} left`
}

const LINES = 100
const SECONDS_BETWEEN = 10

export const makeSeedsBar = (before: number, total: number, out: NodeJS.WriteStream) => {
  let written = -1
  let writtenAt = Number.NEGATIVE_INFINITY
  const isDue = (done: number, seconds: number): boolean =>
    done === total || (Math.floor((done / total) * LINES) > written && seconds - writtenAt >= SECONDS_BETWEEN)
  return {
    update: (done: number, seconds: number): void => {
      const line = paceLine(before, done, total, seconds)
      if (out.isTTY) out.write(`\r${line}\u001b[K`)
      else if (isDue(done, seconds)) {
        written = Math.floor((done / total) * LINES)
        writtenAt = seconds
        out.write(`${line}\n`)
      }
    },
    /** Before something else is written on a terminal: the next update draws it anew. */
    clear: (): void => {
      if (out.isTTY) out.write("\r\u001b[K")
    },
    finish: (): void => {
      if (out.isTTY) out.write("\n")
    },
  }
}
