/** A proof's state in small, for the tests: everything held, unless a test says otherwise. */
import type { Run, SeedRow, State } from "../../scripts/proof/State.ts"
import type { TroubleFigures } from "../chaos/experiment/Throughput.ts"

export const sampleRun = (digest: string): Run => ({
  commit: "c0ffee",
  isDirty: false,
  digest,
  startedAt: "2026-11-21T21:00:00.000Z",
  jobs: 2,
  seeds: 2,
  hardware: { cpu: "A", cores: 2, memory_gib: 8, platform: "linux x64", bun: "1.4.5", load_before: 0 },
})

export const sampleSeed = (seed: number, violations: ReadonlyArray<string> = []): SeedRow => ({
  seed,
  violations,
  virtualMs: 1_800_000,
  paid: 10,
  traceHash: `hash of ${seed}`,
  run: 0,
  seconds: seed * 30,
})

export const sampleState: State = {
  runs: [sampleRun("aa")],
  seeds: [sampleSeed(1), sampleSeed(2)],
  planted: [
    {
      name: "sent_before_stored",
      breaks: "the envelope is sent before it is stored",
      afterSeeds: 3,
      seed: 4,
      violation: "I1: paid | twice",
      run: 0,
      seconds: 9,
    },
  ],
  brokeOff: [],
  history: [],
}

const ratesOf = (ended: ReadonlyArray<number>) => ended.map((value) => ({ accepted: 100, ended: value }))

/** Of a trouble after which as much ended as before, unless it is said otherwise. */
export const sampleTrouble = (
  after: ReadonlyArray<number> = [100, 100, 100],
  before: ReadonlyArray<number> = [100, 100, 100],
): TroubleFigures => ({ name: "restarted", before: ratesOf(before), after: ratesOf(after) })

export const sampleDatabase = (
  ...troubles: ReadonlyArray<TroubleFigures>
): NonNullable<State["database"]> => ({
  run: 0,
  seed: 7,
  figures: { troubles, oneKey: { keys: 1, requests: 2, rows: 1, violations: [] }, violations: [] },
})
