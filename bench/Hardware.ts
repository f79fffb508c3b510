/** What a measurement was taken on: a figure without it means nothing. */
import { availableParallelism, cpus, loadavg, totalmem } from "node:os"

const GIB = 1024 ** 3

export interface Hardware {
  readonly cpu: string
  readonly cores: number
  readonly memory_gib: number
  readonly platform: string
  readonly bun: string
  /** Of the minute before: above zero, others were at work. */
  readonly load_before: number
}

export const hardware = (): Hardware => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memory_gib: Math.round((totalmem() / GIB) * 10) / 10,
  platform: `${process.platform} ${process.arch}`,
  bun: Bun.version,
  load_before: Math.round((loadavg()[0] ?? 0) * 100) / 100,
})
