/** The faults of a seed: pure, the same for the same seed. */
import { FAULT_PROFILES } from "../../layers/localnet/faults/FaultProfile.ts"
import { planFaults } from "../../layers/localnet/faults/PlanFaults.ts"
import { type Chance, chanceOf } from "./Chance.ts"
import { GOOD } from "./Customers.ts"
import type { Fault, StepKind } from "./Fault.ts"

export const WORKERS = ["worker-1", "worker-2", "worker-3"] as const
export const APIS = ["api-1", "api-2"] as const
const PROGRAMS = [...WORKERS, ...WORKERS, ...APIS] as const

const STEPS: readonly [StepKind, ...ReadonlyArray<StepKind>] = [
  "any",
  "write",
  "commit",
  "send",
  "call",
  "rare",
  "rare",
  "rare",
]

const atStep = (chance: Chance, spanMs: number) => ({
  program: chance.pick(PROGRAMS),
  afterMs: chance.below(spanMs),
  on: chance.pick(STEPS),
  moment: chance.isTrue(0.5) ? ("before" as const) : ("after" as const),
})

const DRAW: Record<Exclude<Fault["kind"], "network">, (chance: Chance, spanMs: number) => Fault> = {
  crash: (chance, spanMs) => ({
    kind: "crash",
    ...atStep(chance, spanMs),
    restartMs: chance.between(100, 20_000),
    lingerMs: chance.isTrue(0.7) ? 0 : chance.below(3_000),
  }),
  stop: (chance, spanMs) => ({
    kind: "stop",
    ...atStep(chance, spanMs),
    restartMs: chance.between(100, 10_000),
  }),
  freeze: (chance, spanMs) => ({
    kind: "freeze",
    ...atStep(chance, spanMs),
    forMs: chance.between(500, 45_000),
  }),
  connection_lost: (chance, spanMs) => ({
    kind: "connection_lost",
    ...atStep(chance, spanMs),
  }),
  slow: (chance, spanMs) => ({
    kind: "slow",
    ...atStep(chance, spanMs),
    byMs: chance.between(500, 20_000),
  }),
  database_away: (chance, spanMs) => ({
    kind: "database_away",
    afterMs: chance.below(spanMs),
    forMs: chance.between(200, 8_000),
  }),
  nodes_differ: (chance, spanMs) => ({
    kind: "nodes_differ",
    afterMs: chance.below(spanMs),
    forMs: chance.between(5_000, 40_000),
    behindLedgers: chance.between(1, 5),
  }),
  drain: (chance, spanMs) => ({
    kind: "drain",
    afterMs: chance.below(spanMs),
    forMs: chance.between(5_000, 30_000),
  }),
  line_gone: (chance, spanMs) => ({
    kind: "line_gone",
    wallet: chance.below(GOOD.length),
    afterMs: chance.below(spanMs),
    forMs: chance.between(5_000, 40_000),
  }),
  stranger_bumps: (chance, spanMs) => ({
    kind: "stranger_bumps",
    afterMs: chance.below(spanMs),
  }),
}

/** How often each kind is drawn, in relation to the others. */
const WEIGHTS: Record<keyof typeof DRAW, number> = {
  crash: 6,
  stop: 1,
  freeze: 4,
  connection_lost: 4,
  slow: 3,
  database_away: 1,
  nodes_differ: 2,
  drain: 1,
  line_gone: 2,
  stranger_bumps: 2,
}

const KINDS = (Object.keys(WEIGHTS) as Array<keyof typeof DRAW>).flatMap((kind) =>
  Array.from({ length: WEIGHTS[kind] }, () => kind),
)

/** What the embedded network's plan of the seed has, in these many ledgers. */
const networkFaults = (seed: number, ledgers: number): ReadonlyArray<Fault> =>
  planFaults(String(seed), { ...FAULT_PROFILES.mixed, ledgers }).faults.map((fault) => ({
    kind: "network",
    fault,
  }))

/**
 * @param spanMs of the phase with faults
 * @param ledgers that close in it, about
 */
export const drawFaults = (seed: number, spanMs: number, ledgers: number): ReadonlyArray<Fault> => {
  const chance = chanceOf(seed, "faults")
  const count = chance.between(4, 24)
  const ours = Array.from({ length: count }, () => {
    const kind = KINDS[chance.below(KINDS.length)] ?? "crash"
    return DRAW[kind](chance, spanMs)
  })
  return [...ours, ...(chance.isTrue(0.8) ? networkFaults(seed, ledgers) : [])]
}
