/** The command itself: killed with -9 in the middle, it goes on and finds what one run of all of it finds. */
import { expect } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import type { Proof } from "../../scripts/proof/Proof.ts"
import { live } from "../support/it.ts"
import { checkout, eventually, start, temporaryDirectory } from "../support/Processes.ts"

const proof = (folder: string, ...args: ReadonlyArray<string>) =>
  start([
    process.execPath,
    `--config=${join(checkout, "bunfig.toml")}`,
    "--no-env-file",
    join(checkout, "scripts/proof.ts"),
    ...["--only", "seeds", "--seeds", "2", "--jobs", "1"],
    ...["--state", join(folder, "state"), "--docs", folder],
    ...args,
  ])

const seedsOf = (folder: string) => {
  const { runs, seeds }: Proof = JSON.parse(readFileSync(join(folder, "proof.json"), "utf8"))
  return { runs: runs.length, ran: seeds?.ran, paid: seeds?.paid, traces: seeds?.traces }
}

live(
  "killed and resumed, it finds what one run finds; there is nothing left to do then",
  () =>
    Effect.gen(function* () {
      const atOnce = yield* temporaryDirectory
      const whole = yield* proof(atOnce)
      expect([yield* whole.ended, whole.stderr()]).toEqual([0, expect.any(String)])

      const inPieces = yield* temporaryDirectory
      const first = yield* proof(inPieces)
      const lines = join(inPieces, "state", "seeds.jsonl")
      yield* eventually("the first seed is written down", () => existsSync(lines), 90)
      first.child.kill("SIGKILL")
      yield* first.ended
      expect(existsSync(join(inPieces, "proof.json"))).toBe(false)

      const second = yield* proof(inPieces)
      expect([yield* second.ended, second.stderr()]).toEqual([0, expect.any(String)])
      expect(second.stdout()).toContain("seeds: 1 of 2 are there")
      expect(seedsOf(inPieces)).toEqual({ ...seedsOf(atOnce), runs: 2 })

      const page = readFileSync(join(inPieces, "proof.md"), "utf8")
      const again = yield* proof(inPieces, "--report")
      expect(yield* again.ended).toBe(0)
      expect(readFileSync(join(inPieces, "proof.md"), "utf8")).toBe(page)
    }),
  { timeout: 240_000 },
)
