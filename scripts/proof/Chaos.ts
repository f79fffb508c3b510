/** The parts `kills` and `database`: scripts/chaos.ts as a process of its own, whose last line holds the figures. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Effect } from "effect"
import { dieWithParent } from "../../layers/platform/DieWithParent.ts"
import { identityOf, stopProcess } from "../../layers/platform/ProcessIdentity.ts"
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
      return spawn(program, args, { cwd: checkout, stdio: ["ignore", "pipe", "inherit"] })
    }),
    (child) => {
      const hasEnded = child.exitCode !== null || child.signalCode !== null
      const identity = hasEnded ? undefined : identityOf(child.pid ?? 0)
      return identity === undefined
        ? Effect.void
        : stopProcess(identity, [
            { signal: "SIGTERM", waitMs: STOP_MS_MAX },
            { signal: "SIGKILL", waitMs: 2_000 },
          ])
    },
  )

/** The figures of the part in the last line. The command ends with 1 where they are bad: that is a result too. */
const figuresIn = (last: string, code: number, part: ChaosPart) =>
  Effect.try({
    try: (): object => {
      const figures = JSON.parse(last)[part]
      if (code > 1 || figures === undefined) throw new Error("no figures")
      return figures
    },
    catch: () => new BrokeOff({ said: `left with ${code} without figures; its last line: ${last}` }),
  })

/** Runs the part unless its figures are there already. */
export const proveChaos = (keeper: Keeper, part: ChaosPart, seed: number, command: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const there = known(keeper)[part]
    if (there !== undefined) return console.log(`${part}: is there, of seed ${there.seed}`)
    const child = yield* startChild(keeper.checkout, command)
    let last = ""
    createInterface({ input: child.stdout }).on("line", (line) => {
      last = line
      if (!line.startsWith("{")) console.log(line)
    })
    const code = yield* Effect.callback<number>((resume) => {
      child.once("close", (left) => resume(Effect.succeed(left ?? 2)))
    })
    const figures = yield* figuresIn(last, code, part)
    yield* keep(keeper, () => putChaos(keeper.directory, part, { seed, figures, run: keeper.place }))
  })
