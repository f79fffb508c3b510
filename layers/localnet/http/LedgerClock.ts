/** Closes ledgers at a steady pace until stopped. */
export interface LedgerClock {
  readonly stop: () => void
}

export interface LedgerClockOptions {
  readonly intervalMs: number
  readonly close: () => void
  /** Told when closing failed; the clock has stopped then, since a ledger that is not durable is none. */
  readonly onFault: (error: unknown) => void
  /** A clock that only moves forward, in ms. */
  readonly monotonicMs?: () => number
}

/**
 * When the next ledger is due. The pace is kept against the plan, so that small delays do not add up; where
 * the process stood still for an interval or more, the missed ledgers are not made up for.
 */
export const nextDueMs = (dueMs: number, nowMs: number, intervalMs: number): number =>
  dueMs + intervalMs > nowMs ? dueMs + intervalMs : nowMs + intervalMs

export const startLedgerClock = (options: LedgerClockOptions): LedgerClock => {
  const { intervalMs, close, onFault, monotonicMs = () => performance.now() } = options
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueMs = monotonicMs() + intervalMs

  const tick = () => {
    timer = undefined
    try {
      close()
    } catch (error) {
      onFault(error)
      return
    }
    dueMs = nextDueMs(dueMs, monotonicMs(), intervalMs)
    schedule()
  }
  const schedule = () => {
    timer = setTimeout(tick, Math.max(0, dueMs - monotonicMs()))
  }
  schedule()
  return { stop: () => clearTimeout(timer) }
}
