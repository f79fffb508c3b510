/** A test that is said to see a planted bug does see it: it fails with the bug in the sources. */
import { describe, expect } from "bun:test"
import { join } from "node:path"
import { Effect } from "effect"
import { live } from "../../support/it.ts"
import { CHECKOUT } from "./Plant.ts"
import { PLANTED_BUGS } from "./PlantedBugs.ts"

const preload = join(import.meta.dir, "Preload.ts")

const run = (test: string, planted: string) =>
  Effect.promise(async () => {
    const child = Bun.spawn([process.execPath, "test", "--preload", preload, `./${test}`], {
      cwd: CHECKOUT,
      env: { ...process.env, NOVA_PLANTED: planted },
      stdout: "ignore",
      stderr: "pipe",
    })
    const said = await new Response(child.stderr).text()
    return { code: await child.exited, said }
  })

describe("a test fails with the bug that it is said to see", () => {
  for (const { name, seenBy } of PLANTED_BUGS) {
    if (seenBy === undefined) continue
    live(
      `${name}: ${seenBy}`,
      () =>
        Effect.gen(function* () {
          const { code, said } = yield* run(seenBy, name)
          expect(said).toContain("(fail)")
          expect(code).toBe(1)
        }),
      { timeout: 120_000 },
    )
  }
})
