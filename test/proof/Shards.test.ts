/** Whoever asked for seeds gets a line for each, or a failure: whatever way a shard ends. */
import { expect } from "bun:test"
import { Readable } from "node:stream"
import { finished } from "node:stream/promises"
import { Effect } from "effect"
import { lastWordsOf, runOne } from "../simulation/Shards.ts"
import { live } from "../support/it.ts"

const good = (seed: number) => `echo '{"seed":${seed},"violations":[]}'`
const bad = (seed: number) => `echo '{"seed":${seed},"violations":["I1"]}'`

/** A shard of seeds 1 and 2: those that it handed on, and the words that it failed with. */
const shard = (script: string, stopAtFailure = false) =>
  Effect.scoped(
    Effect.gen(function* () {
      const ran: Array<number> = []
      const plan = { seeds: [1, 2], stopAtFailure }
      const failure = yield* Effect.match(
        runOne(["sh", "-c", script], plan, ({ seed }) => void ran.push(seed)),
        { onFailure: ({ message }) => message, onSuccess: () => undefined },
      )
      return { ran, failure }
    }),
  )

live("a shard that ran all of its seeds", () =>
  Effect.gen(function* () {
    expect(yield* shard(`${good(1)}; echo words; ${bad(2)}`)).toEqual({ ran: [1, 2], failure: undefined })
    expect(yield* shard(bad(1), true)).toEqual({ ran: [1], failure: undefined })
  }),
)

live("a shard that left early", () =>
  Effect.gen(function* () {
    const missing = yield* shard(bad(1))
    expect(missing).toEqual({ ran: [1], failure: "a shard left with 0 after 1 of 2 seeds" })
    expect((yield* shard(good(1), true)).failure).toContain("after 1 of 2 seeds")
    const failed = yield* shard(`${good(1)}; ${good(2)}; echo no memory >&2; exit 3`)
    expect(failed.failure).toBe("a shard left with 3 after 2 of 2 seeds: no memory")
  }),
)

live("a shard that is killed in the middle of a line", () =>
  Effect.gen(function* () {
    const { failure, ran } = yield* shard(`${good(1)}; printf '{"seed":2,"viol'; kill -9 $$`)
    expect(ran).toEqual([1])
    expect(failure).toBe('a shard left with SIGKILL after 1 of 2 seeds, its last line torn ({"seed":2,"viol)')
  }),
)

live("a shard that was asked for what cannot be done says so in its own words", () =>
  Effect.gen(function* () {
    const refused = yield* shard("echo 'seed 1 has 9 faults, and none at 999.' >&2; exit 2")
    expect(refused).toEqual({ ran: [], failure: "seed 1 has 9 faults, and none at 999." })
  }),
)

live("signs of life are no seeds", () =>
  Effect.gen(function* () {
    const sign = `echo '{"minimising":1,"runs":7,"left":3}'`
    expect(yield* shard(`${sign}; ${bad(1)}; ${sign}; ${good(2)}`)).toEqual({
      ran: [1, 2],
      failure: undefined,
    })
    expect((yield* shard(`${sign}; ${good(1)}`)).failure).toContain("after 1 of 2 seeds")
  }),
)

live("the last words are the last of them", () =>
  Effect.gen(function* () {
    const stderr = Readable.from([`first${"0".repeat(5_000)}`, "the disk ", "is full\n"])
    const said = lastWordsOf(stderr)
    yield* Effect.promise(() => finished(stderr))
    expect(said()).toHaveLength(3_999)
    expect(said()).toEndWith("000the disk is full")
  }),
)
