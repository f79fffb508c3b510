/** What a measurement was taken on: a figure without it means nothing. */
import { availableParallelism, cpus, loadavg, totalmem } from "node:os"
import { table } from "./Table.ts"

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

/** For people. */
export const hardwareTable = (machine: Hardware): string =>
  table(
    "Hardware",
    Object.entries(machine).map(([name, value]) => [name, String(value)]),
  )
