/**
 * Processor time of processes and of the machine, as Linux counts it: proc_pid_stat(5), proc_stat(5). Elsewhere
 * there is none, and the figures are null.
 */
import { readdirSync, readFileSync } from "node:fs"

/** USER_HZ: what /proc counts in, 100 a second on every Linux architecture that Bun runs on. */
const TICKS_PER_SECOND = 100

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

interface Stat {
  readonly parent: number
  readonly ownTicks: number
  /** Of children that have ended and were waited for. */
  readonly endedChildrenTicks: number
}

/** The second field is the program's name in brackets and may hold spaces and brackets itself. */
const statOf = (pid: number): Stat | undefined => {
  const text = readIfThere(`/proc/${pid}/stat`)
  if (text === "") return undefined
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number)
  const at = (field: number): number => fields[field - 3] ?? 0
  return { parent: at(4), ownTicks: at(14) + at(15), endedChildrenTicks: at(16) + at(17) }
}

/** Seconds that the process has used, all its threads, without its children; 0 where it cannot be told. */
const ofProcess = (pid: number): number => (statOf(pid)?.ownTicks ?? 0) / TICKS_PER_SECOND

/** Seconds of a server and of all its children, those that have ended included. */
const ofFamily = (pid: number): number => {
  const server = statOf(pid)
  if (server === undefined) return 0
  let ticks = server.ownTicks + server.endedChildrenTicks
  for (const name of readdirSync("/proc")) {
    const child = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (child?.parent === pid) ticks += child.ownTicks + child.endedChildrenTicks
  }
  return ticks / TICKS_PER_SECOND
}

/** Seconds in which the machine's processors were at work, for whomever. */
const ofMachine = (): number => {
  const [first = ""] = readIfThere("/proc/stat").split("\n")
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = first
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND
}

export interface Pids {
  readonly workers: ReadonlyArray<number>
  /** The server whose children are the sessions. */
  readonly postgres: number
  readonly network: number
}

/** Seconds of processor time since each began. */
export interface ProcessorTimes {
  readonly atMs: number
  readonly workers: number
  readonly postgres: number
  readonly network: number
  readonly bench: number
  readonly machine: number
}

export const canMeasure = process.platform === "linux"

export const readTimes = ({ network, postgres, workers }: Pids): ProcessorTimes => ({
  atMs: performance.now(),
  workers: workers.reduce((sum, pid) => sum + ofProcess(pid), 0),
  postgres: ofFamily(postgres),
  network: ofProcess(network),
  bench: ofProcess(process.pid),
  machine: ofMachine(),
})

/** Shares of one core: 1.5 is a core and a half. */
export interface ProcessorShares {
  readonly seconds: number
  readonly workers: number
  readonly postgres: number
  readonly network: number
  readonly bench: number
  /** Everything that ran on the machine, other people's programs included. */
  readonly machine: number
}

export const sharesBetween = (from: ProcessorTimes, to: ProcessorTimes): ProcessorShares | undefined => {
  const seconds = (to.atMs - from.atMs) / 1000
  if (!canMeasure || seconds <= 0) return undefined
  const share = (name: Exclude<keyof ProcessorTimes, "atMs">) => (to[name] - from[name]) / seconds
  return {
    seconds,
    workers: share("workers"),
    postgres: share("postgres"),
    network: share("network"),
    bench: share("bench"),
    machine: share("machine"),
  }
}
