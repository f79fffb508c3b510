/** The embedded network measured: tables for people, and one JSON object as the last line. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hardware, hardwareTable } from "../Hardware.ts"
import { number, type Row, table } from "../Table.ts"
import { MEMORY_LOAD, type MemorySample, measureMemory } from "./Memory.ts"
import type { Load } from "./Scene.ts"
import { type SignatureBaseline, signatureBaseline } from "./SignatureBaseline.ts"
import { measureSpeed, type Speed } from "./Speed.ts"

export interface LocalnetBenchOptions {
  readonly ledgers: number
  readonly memoryLedgers: number
  readonly baselineMs: number
}

export const FULL: LocalnetBenchOptions = { ledgers: 100, memoryLedgers: 10_000, baselineMs: 1000 }
/** A minute's look; its figures are noisy. */
export const QUICK: LocalnetBenchOptions = { ledgers: 10, memoryLedgers: 300, baselineMs: 100 }

const BATCHES: Load = {
  name: "10 transactions of 100 payments",
  transactions: 10,
  paymentsEach: 100,
  payer: "distribution",
}
const SINGLES: Load = {
  name: "1,000 transactions of 1 payment",
  transactions: 1000,
  paymentsEach: 1,
  payer: "source",
}
const WARM_UP_LEDGERS = 5
const RETENTION_LEDGERS = 100
const MEMORY_SAMPLES = 10

const withLedgerFile = <A>(use: (path: string) => A): A => {
  const directory = mkdtempSync(join(tmpdir(), "nova-bench-"))
  try {
    return use(join(directory, "ledger"))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const speedRows = (speed: Speed): ReadonlyArray<Row> => [
  ["ledgers a second", number(speed.ledgers_per_second, 1)],
  ["operations a second", number(speed.ops_per_second)],
  ["a ledger, median", `${number(speed.p50_ms, 1)} ms`],
  ["a ledger, 99th percentile", `${number(speed.p99_ms, 1)} ms`],
  ["  of it the close, median", `${number(speed.close_p50_ms, 1)} ms`],
  ["processor time of a ledger", `${number(speed.cpu_ms_per_ledger, 1)} ms`],
  ["signatures in a ledger", number(speed.signatures_per_ledger)],
]

const memoryRows = (samples: ReadonlyArray<MemorySample>): ReadonlyArray<Row> =>
  samples.map(({ heap_mib, ledgers, objects, rss_mib }) => [
    `after ${number(ledgers)} ledgers`,
    `heap ${number(heap_mib, 1)} MiB, ${number(objects)} objects, resident ${number(rss_mib)} MiB`,
  ])

const baselineRows = (baseline: SignatureBaseline): ReadonlyArray<Row> => [
  ["node:crypto", number(baseline.node_crypto_per_second)],
  ["the SDK's Keypair.verify (JavaScript)", number(baseline.sdk_pure_js_per_second)],
]

/** Growth of the heap from the first sample to the last, as a share: 0.1 is ten percent more. */
const growth = (samples: ReadonlyArray<MemorySample>): number => {
  const [first, last] = [samples[0], samples.at(-1)]
  return first === undefined || last === undefined ? 0 : last.heap_mib / first.heap_mib - 1
}

/** Prints as it goes; takes some two minutes in full. */
export const benchLocalnet = (options: LocalnetBenchOptions, print: (text: string) => void): void => {
  const { baselineMs, ledgers, memoryLedgers } = options
  const machine = hardware()
  print(hardwareTable(machine))
  const baseline = signatureBaseline(baselineMs)
  print(table("Baseline: ed25519 signatures verified a second, one core", baselineRows(baseline)))
  const plan = { ledgers, warmUpLedgers: WARM_UP_LEDGERS }
  const batches = measureSpeed({ ...plan, load: BATCHES })
  print(table(`Ledgers of ${BATCHES.name}, ${ledgers} of them, in memory`, speedRows(batches)))
  const durable = withLedgerFile((ledgerFile) => measureSpeed({ ...plan, load: BATCHES, ledgerFile }))
  print(table(`The same with a ledger file, fsynced at every close`, speedRows(durable)))
  const singles = measureSpeed({ ...plan, load: SINGLES, ledgers: Math.max(5, Math.round(ledgers / 4)) })
  print(table(`Ledgers of ${SINGLES.name}, ${singles.ledgers} of them, in memory`, speedRows(singles)))
  const memory = measureMemory({
    ledgers: memoryLedgers,
    retentionLedgers: RETENTION_LEDGERS,
    sampleEvery: RETENTION_LEDGERS * Math.ceil(memoryLedgers / MEMORY_SAMPLES / RETENTION_LEDGERS),
  })
  print(
    table(`Memory: ledgers of ${MEMORY_LOAD.name}, the last ${RETENTION_LEDGERS} kept`, memoryRows(memory)),
  )
  print("")
  print(
    JSON.stringify({
      bench: "localnet",
      ledgers_per_second: batches.ledgers_per_second,
      ops_per_second: batches.ops_per_second,
      batches,
      batches_durable: durable,
      singles,
      baseline,
      memory_heap_growth: growth(memory),
      memory,
      hardware: machine,
    }),
  )
}
