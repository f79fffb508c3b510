/** What a trace begins with: the seed, what it drew for the scene, and the faults that take place, with their places. */
import type { Fault, StepFault, StepKind } from "./Fault.ts"

const MS_PER_SECOND = 1000
const STROOPS_PER_UNIT = 10_000_000

const seconds = (ms: number): string => `${(ms / MS_PER_SECOND).toFixed(1)} s`

const STEPS: Record<StepKind, string> = {
  any: "any step",
  write: "a write",
  commit: "a commit",
  send: "a sending",
  call: "a call",
  rare: "a rare step",
}

const consequenceOf = (fault: StepFault): string => {
  switch (fault.kind) {
    case "crash": {
      const lingering = fault.lingerMs === 0 ? "" : `, its sessions end ${seconds(fault.lingerMs)} later`
      return `, back after ${seconds(fault.restartMs)}${lingering}`
    }
    case "stop":
      return `, back after ${seconds(fault.restartMs)}`
    case "freeze":
      return `, for ${seconds(fault.forMs)}`
    case "slow":
      return `, by ${seconds(fault.byMs)}`
    case "connection_lost":
      return ""
  }
}

/** "crash of worker-1 after a commit from 12.3 s, back after 4.0 s" */
export const describeFault = (fault: Fault): string => {
  if (fault.kind === "network") {
    const { kind, ledger, ...others } = fault.fault
    const rest = Object.entries(others).map(([name, value]) => `, ${name} ${value}`)
    return `network ${kind} from ledger ${ledger}${rest.join("")}`
  }
  const from = `from ${seconds(fault.afterMs)}`
  if ("on" in fault) {
    const { kind, moment, on, program } = fault
    return `${kind} of ${program} ${moment} ${STEPS[on]} ${from}${consequenceOf(fault)}`
  }
  switch (fault.kind) {
    case "nodes_differ":
      return `${fault.kind} ${from} for ${seconds(fault.forMs)}, some ${fault.behindLedgers} ledgers behind`
    case "line_gone":
      return `${fault.kind} of customer ${fault.wallet} ${from} for ${seconds(fault.forMs)}`
    case "stranger_bumps":
      return `${fault.kind} ${from}`
    default:
      return `${fault.kind} ${from} for ${seconds(fault.forMs)}`
  }
}

/** A fault with its place in the list of the seed's faults: what --faults takes. */
export const placedLine = (place: number, fault: Fault): string => `fault ${place}: ${describeFault(fault)}`

interface Scene {
  readonly safetyLedgers: number
  readonly workers: number
  readonly operationsMax: number
  readonly treasuryStroops: bigint
  readonly settings: {
    readonly channels: number
    readonly paymentsMax: number
    readonly envelopeLedgers: number
    readonly pollIntervalMs: number
    readonly leaseMs: number
  }
  readonly isNamed: boolean
  readonly hasWrongClocks: boolean
}

const sceneLine = (scene: Scene): string => {
  const { channels, envelopeLedgers, leaseMs, paymentsMax, pollIntervalMs } = scene.settings
  return [
    `${scene.workers} workers ${scene.isNamed ? "with" : "without"} names`,
    ...(scene.hasWrongClocks ? ["clocks that differ"] : []),
    `${channels} channels`,
    `${paymentsMax} payments an envelope at most`,
    `envelopes for ${envelopeLedgers} ledgers`,
    `a lease of ${seconds(leaseMs)}`,
    `a look each ${seconds(pollIntervalMs)}`,
    `${scene.operationsMax} operations a ledger`,
    `a treasury of ${Number(scene.treasuryStroops) / STROOPS_PER_UNIT}`,
    `${scene.safetyLedgers} ledgers with faults`,
  ].join(", ")
}

/**
 * @param drawn the seed's faults, all of them
 * @param planned those that take place: of the same objects
 */
export const traceHeader = (
  seed: number,
  scene: Scene,
  drawn: ReadonlyArray<Fault>,
  planned: ReadonlyArray<Fault>,
): ReadonlyArray<string> => {
  const chosen = new Set(planned)
  const lines = drawn.flatMap((fault, place) => (chosen.has(fault) ? [placedLine(place, fault)] : []))
  return [`seed ${seed}: ${sceneLine(scene)}`, `${lines.length} of ${drawn.length} faults`, ...lines]
}
