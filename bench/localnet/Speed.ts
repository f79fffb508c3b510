/** How many full ledgers the embedded network takes in a second: submitted, verified, applied, closed. */
import { type Load, openScene } from "./Scene.ts"

export interface SpeedOptions {
  readonly load: Load
  readonly ledgers: number
  readonly warmUpLedgers: number
  readonly ledgerFile?: string
}

export interface Speed {
  readonly load: string
  readonly ledgers: number
  readonly ledgers_per_second: number
  readonly ops_per_second: number
  /** Of the ledgers' times, submissions included, in ms. */
  readonly p50_ms: number
  readonly p99_ms: number
  /** The close alone: its signatures were verified at submission. */
  readonly close_p50_ms: number
  /** Processor time of all our threads: what stays the same when others use the machine too. */
  readonly cpu_ms_per_ledger: number
  readonly signatures_per_ledger: number
}

const RETENTION_LEDGERS = 20

const percentile = (sorted: ReadonlyArray<number>, p: number): number =>
  sorted[Math.max(0, Math.ceil((p * sorted.length) / 100) - 1)] ?? 0

const ascending = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.toSorted((a, b) => a - b)

export const measureSpeed = ({ ledgerFile, ledgers, load, warmUpLedgers }: SpeedOptions): Speed => {
  const scene = openScene({
    load,
    retentionLedgers: RETENTION_LEDGERS,
    ...(ledgerFile === undefined ? {} : { ledgerFile }),
  })
  try {
    for (const envelopes of scene.sign(warmUpLedgers)) scene.settle(envelopes)
    const signed = scene.sign(ledgers)
    Bun.gc(true)
    const cpuBefore = process.cpuUsage()
    const startedMs = performance.now()
    const times = signed.map(scene.settle)
    const seconds = (performance.now() - startedMs) / 1000
    const { system, user } = process.cpuUsage(cpuBefore)
    const all = ascending(times.map(({ closeMs, submitMs }) => closeMs + submitMs))
    const operations = load.transactions * load.paymentsEach
    return {
      load: load.name,
      ledgers,
      ledgers_per_second: ledgers / seconds,
      ops_per_second: (ledgers * operations) / seconds,
      p50_ms: percentile(all, 50),
      p99_ms: percentile(all, 99),
      close_p50_ms: percentile(ascending(times.map(({ closeMs }) => closeMs)), 50),
      cpu_ms_per_ledger: (system + user) / 1000 / ledgers,
      signatures_per_ledger: load.transactions * (load.payer === "distribution" ? 2 : 1),
    }
  } finally {
    scene.network.close()
  }
}
