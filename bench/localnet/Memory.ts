/** Whether memory stays flat over thousands of ledgers of which only the last are kept. */
import { heapStats } from "bun:jsc"
import { openScene } from "./Scene.ts"

export interface MemorySample {
  /** Ledgers closed since the start. */
  readonly ledgers: number
  readonly heap_mib: number
  readonly objects: number
  readonly rss_mib: number
}

export interface MemoryOptions {
  readonly ledgers: number
  readonly retentionLedgers: number
  readonly sampleEvery: number
}

const MIB = 1024 ** 2
/** Signed in blocks: what waits to be submitted is no memory of the network's. */
const BLOCK_LEDGERS = 50

const sample = (ledgers: number): MemorySample => {
  Bun.gc(true)
  const { heapSize, objectCount } = heapStats()
  const rss = process.memoryUsage().rss
  return { ledgers, heap_mib: heapSize / MIB, objects: objectCount, rss_mib: rss / MIB }
}

/** Ten transactions of ten payments in every ledger. */
export const MEMORY_LOAD = {
  name: "10 transactions of 10 payments",
  transactions: 10,
  paymentsEach: 10,
  payer: "distribution",
} as const

/** Every sample is taken at the same phase of whatever repeats with the window: `sampleEvery` is a multiple of it. */
export const measureMemory = (options: MemoryOptions): ReadonlyArray<MemorySample> => {
  const { ledgers, retentionLedgers, sampleEvery } = options
  const scene = openScene({ load: MEMORY_LOAD, retentionLedgers })
  const samples: Array<MemorySample> = []
  for (let closed = 0; closed < ledgers; closed += sampleEvery) {
    for (let done = 0; done < sampleEvery; done += BLOCK_LEDGERS) {
      for (const envelopes of scene.sign(Math.min(BLOCK_LEDGERS, sampleEvery - done))) {
        scene.settle(envelopes)
      }
    }
    samples.push(sample(closed + sampleEvery))
  }
  scene.network.close()
  return samples
}
