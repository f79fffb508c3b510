/**
 * A few seeds of the simulation, and that each of them does the same when it is run again, in whatever order: every
 * line of the trace, byte for byte.
 */
import { expect } from "bun:test"
import { Effect } from "effect"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { sessions, TIMEOUT_MS } from "./Sessions.ts"
import { simulate } from "./Simulate.ts"

const { live } = withLayer(TestDatabase.layerAddress)

live(
  "seeds break no law, and do the same again, byte for byte",
  () =>
    Effect.gen(function* () {
      const real = yield* sessions
      const first = yield* Effect.promise(() => simulate(4, real))
      const other = yield* Effect.promise(() => simulate(5, real))
      const again = yield* Effect.promise(() => simulate(4, real))
      for (const { paid, seed, violations } of [first, other]) {
        expect({ seed, violations }).toEqual({ seed, violations: [] })
        expect(paid).toBeGreaterThan(5)
      }
      expect(again.trace.join("\n")).toBe(first.trace.join("\n"))
      expect(first.trace.length).toBeGreaterThan(500)
      expect(other.trace.join("\n")).not.toBe(first.trace.join("\n"))
    }),
  { timeout: TIMEOUT_MS },
)
