import type { AppliedTransaction, Network } from "../Network.ts"

/** Waits for transactions to be included in a ledger; told by each closed ledger, never polling. */
export interface Inclusion {
  /**
   * The transaction under `hash` as soon as a ledger includes it, or undefined after `timeoutMs`, when the
   * signal aborts, or when the wait is closed.
   */
  readonly wait: (
    hash: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ) => Promise<AppliedTransaction | undefined>
  /** Resolves when the next ledger has closed, or when the wait is closed. */
  readonly nextLedger: () => Promise<void>
  readonly close: () => void
}

type Settle = (transaction: AppliedTransaction | undefined) => void

export const watchInclusion = (network: Network): Inclusion => {
  const waiting = new Map<string, Set<Settle>>()
  let ledgerWaiters: Array<() => void> = []
  let closed = false

  const settle = (hash: string | undefined, transaction: AppliedTransaction) => {
    if (hash !== undefined) for (const settleOne of [...(waiting.get(hash) ?? [])]) settleOne(transaction)
  }
  const unsubscribe = network.onClose((ledger) => {
    for (const transaction of ledger.transactions) {
      settle(transaction.hash, transaction)
      settle(transaction.innerHash, transaction)
    }
    const woken = ledgerWaiters
    ledgerWaiters = []
    for (const wake of woken) wake()
  })

  const wait: Inclusion["wait"] = (hash, timeoutMs, signal) => {
    const known = network.transaction(hash)
    if (known !== undefined || closed) return Promise.resolve(known)
    return new Promise((resolve) => {
      const waiters = waiting.get(hash) ?? new Set()
      waiting.set(hash, waiters)
      const settleOnce: Settle = (transaction) => {
        clearTimeout(timer)
        signal?.removeEventListener("abort", onAbort)
        waiters.delete(settleOnce)
        if (waiters.size === 0) waiting.delete(hash)
        resolve(transaction)
      }
      const onAbort = () => settleOnce(undefined)
      const timer = setTimeout(onAbort, timeoutMs)
      signal?.addEventListener("abort", onAbort)
      waiters.add(settleOnce)
    })
  }

  const nextLedger = () =>
    closed
      ? Promise.resolve()
      : new Promise<void>((resolve) => {
          ledgerWaiters.push(resolve)
        })

  const close = () => {
    closed = true
    unsubscribe()
    for (const waiters of [...waiting.values()]) for (const settleOne of [...waiters]) settleOne(undefined)
    for (const wake of ledgerWaiters) wake()
    ledgerWaiters = []
  }
  return { wait, nextLedger, close }
}
