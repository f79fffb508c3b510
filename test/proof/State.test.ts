/** What a proof keeps: it survives a torn line, and results of different sources never come together. */
import { expect, it } from "bun:test"
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { beginAnew } from "../../scripts/proof/BeginAnew.ts"
import { type Keeper, keep } from "../../scripts/proof/Keeper.ts"
import { makeProof, unmixed } from "../../scripts/proof/Proof.ts"
import { digestSources } from "../../scripts/proof/Sources.ts"
import { addBrokeOff, addSeed, beginRun, mendLines, putChaos, readState } from "../../scripts/proof/State.ts"
import { sampleRun, sampleSeed, sampleState } from "./Samples.ts"

const inFolder = async (body: (directory: string) => Promise<void> | void): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "nova-proof-"))
  try {
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

it("a torn last line is dropped, and the next line stands by itself", () =>
  inFolder((directory) => {
    addSeed(directory, sampleSeed(1))
    appendFileSync(join(directory, "seeds.jsonl"), '{"seed":2,"viol')
    expect(readState(directory).seeds).toEqual([sampleSeed(1)])
    mendLines(directory, "seeds")
    addSeed(directory, sampleSeed(3))
    expect(readState(directory).seeds).toEqual([sampleSeed(1), sampleSeed(3)])
  }))

it("a last line that lost only its end is torn too", () =>
  inFolder((directory) => {
    writeFileSync(join(directory, "seeds.jsonl"), JSON.stringify(sampleSeed(1)))
    expect(readState(directory).seeds).toEqual([])
    mendLines(directory, "seeds")
    expect(readFileSync(join(directory, "seeds.jsonl"), "utf8")).toBe("")
  }))

it("a state of other sources is refused, and what begins anew forgets it", () =>
  inFolder(async (directory) => {
    expect(await Effect.runPromise(beginRun(directory, sampleRun("aa")))).toBe(0)
    expect(await Effect.runPromise(beginRun(directory, sampleRun("aa")))).toBe(1)
    addSeed(directory, sampleSeed(1))
    const refused = await Effect.runPromise(Effect.flip(beginRun(directory, sampleRun("bb"))))
    expect(refused.message).toContain("--fresh begins anew")
    expect(readState(directory).runs.map(({ digest }) => digest)).toEqual(["aa", "aa"])
    beginAnew(directory)
    expect(await Effect.runPromise(beginRun(directory, sampleRun("bb")))).toBe(0)
    expect(readState(directory).seeds).toEqual([])
    expect(makeProof(readState(directory)).begunAnew).toEqual([])
  }))

it("what failed before it was begun anew is remembered with the same sources", () =>
  inFolder(async (directory) => {
    await Effect.runPromise(beginRun(directory, sampleRun("aa")))
    addSeed(directory, sampleSeed(1, ["I1: r7 was paid twice"]))
    addBrokeOff(directory, { run: 0, part: "database", said: "left with 137" })
    putChaos(directory, "kills", { run: 0, seed: 7, figures: { violations: ["I3: r9"] } })
    appendFileSync(join(directory, "history.jsonl"), '{"torn')
    beginAnew(directory)
    beginAnew(directory)
    await Effect.runPromise(beginRun(directory, sampleRun("aa")))
    beginAnew(directory)
    await Effect.runPromise(beginRun(directory, sampleRun("aa")))
    const { begunAnew, kills, seeds } = makeProof(readState(directory))
    expect([kills, seeds]).toEqual([undefined, undefined])
    expect(begunAnew).toEqual([
      {
        digest: "aa",
        commit: "c0ffee",
        startedAt: "2026-11-21T21:00:00.000Z",
        failures: [
          "seed 1: I1: r7 was paid twice",
          "kills: I3: r9",
          "database, run 1, did not end: left with 137",
        ],
        seeds: 1,
        planted: [],
        kills: 7,
      },
    ])
  }))

it("parts of different sources make no proof", () => {
  const proof = makeProof(sampleState)
  const { planted } = proof
  if (planted === undefined) throw new Error("the sample has planted bugs")
  expect(() => unmixed({ ...proof, planted: { ...planted, digest: "bb" } })).toThrow("different sources")
  expect(() => makeProof({ ...sampleState, runs: [sampleRun("aa"), sampleRun("bb")] })).toThrow("different")
})

it("nothing is kept once the sources have changed", () =>
  inFolder(async (directory) => {
    const checkout = join(import.meta.dir, "../..")
    const run = sampleRun("of other sources")
    const keeper: Keeper = { directory, checkout, run, place: 0 }
    const refused = await Effect.runPromise(
      Effect.flip(keep(keeper, () => addSeed(directory, sampleSeed(1)))),
    )
    expect(refused.message).toContain("changed while the proof ran")
    expect(readState(directory).seeds).toEqual([])
  }))

it("the digest tells content, name and place of every file", () =>
  inFolder((directory) => {
    const digestOf = (files: Readonly<Record<string, string>>) => {
      for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
      return digestSources(directory, Object.keys(files))
    }
    const digests = [
      digestOf({ a: "1", b: "2" }),
      digestOf({ a: "1", b: "3" }),
      digestOf({ a: "12", b: "" }),
      digestOf({ a: "1", c: "2" }),
    ]
    expect(new Set(digests).size).toBe(digests.length)
    expect(digestOf({ b: "2", a: "1" })).toBe(digests[0] ?? "")
  }))
