/** The parts `kills` and `database`: scripts/chaos.ts as a process of its own, whose last line holds the figures. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Effect } from "effect"
import { dieWithParent } from "../../layers/platform/DieWithParent.ts"
import { stopChild } from "../../layers/platform/ProcessIdentity.ts"
import { lastWordsOf } from "../../test/simulation/Shards.ts"
import { BrokeOff, type Keeper, keep, known } from "./Keeper.ts"
import { putChaos } from "./State.ts"

export type ChaosPart = "kills" | "database"

/** It stops a whole system on its way out. Milliseconds. */
const STOP_MS_MAX = 60_000

export const chaosCommand = (checkout: string, part: ChaosPart, seed: number): ReadonlyArray<string> => [
  process.execPath,
  `--config=${join(checkout, "bunfig.toml")}`,
  "--no-env-file",
  join(checkout, "scripts/chaos.ts"),
  ...["--only", part, "--seed", String(seed)],
]

const startChild = (checkout: string, command: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [program = "", ...args] = dieWithParent(command, "TERM")
      return spawn(program, args, { cwd: checkout, stdio: ["ignore", "pipe", "pipe"] })
    }),
    (child) => stopChild(child, STOP_MS_MAX),
  )

interface Left {
  /** Its exit code, or the signal that ended it. */
  readonly code: number | string
  /** The last line of its output, and of what it said besides. */
  readonly last: string
  readonly said: string
}

/** Whether the figures speak against the claims. Throws where they do not say. */
const isBad = ({ stuck = 0, violations }: { stuck?: number; violations: ReadonlyArray<string> }): boolean =>
  violations.length + stuck > 0

/** The figures of the part in the last line. The command ends with 1 where they are bad: that is a result too. */
const figuresIn = ({ code, last, said }: Left, part: ChaosPart) =>
  Effect.try({
    try: (): object => {
      const figures = JSON.parse(last)[part]
      const explained: ReadonlyArray<number | string> = isBad(figures) ? [0, 1] : [0]
      if (!explained.includes(code)) throw new Error("it ended for another reason")
      return figures
    },
    catch: () =>
      new BrokeOff({
        said: `left with ${code} without figures that explain it; its last line: ${last}; it said: ${said}`,
      }),
  })

/** Runs the part unless its figures are there already. */
export const proveChaos = (keeper: Keeper, part: ChaosPart, seed: number, command: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const there = known(keeper)[part]
    if (there !== undefined) return console.log(`${part}: is there, of seed ${there.seed}`)
    const child = yield* startChild(keeper.checkout, command)
    const said = lastWordsOf(child.stderr)
    child.stderr.pipe(process.stderr, { end: false })
    let last = ""
    createInterface({ input: child.stdout }).on("line", (line) => {
      last = line
      if (!line.startsWith("{")) console.log(line)
    })
    const code = yield* Effect.callback<number | string>((resume) => {
      child.once("close", (left, signal) => resume(Effect.succeed(left ?? signal ?? "nothing")))
    })
    const figures = yield* figuresIn({ code, last, said: said() }, part)
    yield* keep(keeper, () => putChaos(keeper.directory, part, { seed, figures, run: keeper.place }))
  })
