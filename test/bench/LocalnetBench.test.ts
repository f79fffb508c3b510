/** The bench does what it says; how fast is not asserted, since that depends on the machine and its neighbours. */
import { expect, test } from "bun:test"
import { benchLocalnet } from "../../bench/localnet/LocalnetBench.ts"

test("tables for people, and one JSON object as the last line", () => {
  const printed: Array<string> = []
  benchLocalnet({ ledgers: 2, memoryLedgers: 200, baselineMs: 20 }, (text) => printed.push(text))
  const result = JSON.parse(printed.at(-1) ?? "")
  expect(result.bench).toBe("localnet")
  for (const speed of [result.batches, result.batches_durable, result.singles]) {
    expect(speed.ledgers_per_second).toBeGreaterThan(0)
    // Every load fills the ledger: a thousand operations.
    expect(speed.ops_per_second / speed.ledgers_per_second).toBeCloseTo(1000, 6)
  }
  expect(result.ledgers_per_second).toBe(result.batches.ledgers_per_second)
  expect(result.ops_per_second).toBe(result.batches.ops_per_second)
  expect(result.batches.signatures_per_ledger).toBe(20)
  expect(result.singles.signatures_per_ledger).toBe(1000)
  expect(result.memory.map(({ ledgers }: { ledgers: number }) => ledgers)).toEqual([100, 200])
  expect(result.hardware.cores).toBeGreaterThan(0)
  expect(printed.join("\n")).toContain("Baseline: ed25519 signatures verified a second")
}, 60_000)
