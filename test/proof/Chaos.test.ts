/** The experiments' figures are kept, good or bad; what leaves without figures broke off. */
import { expect } from "bun:test"
import { join } from "node:path"
import { Effect } from "effect"
import { proveChaos } from "../../scripts/proof/Chaos.ts"
import type { Keeper } from "../../scripts/proof/Keeper.ts"
import { digestSources } from "../../scripts/proof/Sources.ts"
import { readState } from "../../scripts/proof/State.ts"
import { live } from "../support/it.ts"
import { temporaryDirectory } from "../support/Processes.ts"
import { sampleRun } from "./Samples.ts"

const checkout = join(import.meta.dir, "../..")
const saying = (script: string) => ["sh", "-c", script]

const keeperIn = (directory: string): Keeper => ({
  directory,
  checkout,
  run: sampleRun(digestSources(checkout)),
  place: 0,
})

live("bad figures are a result, and are not tried again", () =>
  Effect.gen(function* () {
    const keeper = keeperIn(yield* temporaryDirectory)
    const bad = saying(`echo words; echo '{"kills":{"violations":["I1"]}}'; exit 1`)
    yield* proveChaos(keeper, "kills", 7, bad)
    yield* proveChaos(keeper, "kills", 8, saying("exit 9"))
    const { kills } = readState(keeper.directory)
    expect(JSON.stringify(kills)).toBe('{"seed":7,"figures":{"violations":["I1"]},"run":0}')
  }),
)

live("what leaves without figures broke off", () =>
  Effect.gen(function* () {
    const keeper = keeperIn(yield* temporaryDirectory)
    const held = `echo '{"database":{"violations":[]}}'`
    for (const script of [
      ...["echo half; exit 1", `echo '{"database":{}}'; exit 130`, "kill -9 $$", "exit 0"],
      ...[`${held}; exit 1`, `${held}; exit 2`],
    ]) {
      const broke = yield* Effect.flip(proveChaos(keeper, "database", 7, saying(script)))
      expect(broke._tag).toBe("BrokeOff")
    }
    expect(readState(keeper.directory).database).toBeUndefined()
  }),
)

live("what broke off keeps the last words of its process", () =>
  Effect.gen(function* () {
    const keeper = keeperIn(yield* temporaryDirectory)
    for (const [ending, left] of [
      ["exit 1", "left with 1 "],
      ["kill -9 $$", "left with SIGKILL "],
    ] as const) {
      const script = `echo the disk is full >&2; ${ending}`
      const broke = yield* Effect.flip(proveChaos(keeper, "kills", 7, saying(script)))
      const said = broke._tag === "BrokeOff" ? broke.said : ""
      expect(said).toStartWith(left)
      expect(said).toEndWith("it said: the disk is full")
    }
  }),
)
