/**
 * Runs seeds in child processes, each with a database of its own at one PostgreSQL, and hands their lines on.
 *
 * Invariant: whoever asked for a seed gets its line or a failure. A shard that leaves early, with a torn line or
 * without some, is never taken for one that ran all of its seeds.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { Effect, type Scope } from "effect"
import { dieWithParent } from "../../layers/platform/DieWithParent.ts"
import { stopChild } from "../../layers/platform/ProcessIdentity.ts"
import { StartupFailure } from "../../layers/platform/StartupFailure.ts"
import type { MinimiseLine, ShardLine, ShardPlan } from "./Shard.ts"

const checkout = join(import.meta.dir, "../..")

type Command = ReadonlyArray<string>

const commandOf = (plan: ShardPlan): Command => [
  process.execPath,
  `--config=${join(checkout, "bunfig.toml")}`,
  "--no-env-file",
  join(checkout, "scripts/simulate.ts"),
  ...["--shard", JSON.stringify(plan)],
]

const startChild = (command: Command): ChildProcess => {
  const [program = "", ...args] = dieWithParent(command, "TERM")
  return spawn(program, args, { cwd: checkout, stdio: ["ignore", "pipe", "pipe"] })
}

/** Characters of a child's last words: they explain an end that is none. */
const WORDS_MAX = 4_000

/** Listens to what a child says on its stderr; answers with the last of it, so far. */
export const lastWordsOf = (stderr: Readable | null): (() => string) => {
  let said = ""
  stderr?.on("data", (chunk) => {
    said = (said + String(chunk)).slice(-WORDS_MAX)
  })
  return () => said.trim()
}

/** A shard that is killed tears its last line. */
const parsed = (line: string): ShardLine | MinimiseLine | undefined => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Where a shard stands: how many of its seeds it handed on, and whether that was all that was to come. */
interface Progress {
  lines: number
  isOver: boolean
  torn: string | undefined
}

interface Reader {
  readonly read: (line: ShardLine) => void
  readonly hear: (line: MinimiseLine) => void
}

const listen = (child: ChildProcess, plan: Dealt, { hear, read }: Reader): Progress => {
  const progress: Progress = { lines: 0, isOver: false, torn: undefined }
  const lines = child.stdout === null ? undefined : createInterface({ input: child.stdout })
  lines?.on("line", (text) => {
    if (!text.startsWith("{")) return
    const line = parsed(text)
    if (line === undefined) {
      progress.torn = text
      return
    }
    if ("minimising" in line) return hear(line)
    const isLast = ++progress.lines === plan.seeds.length
    progress.isOver = isLast || (plan.stopAtFailure && line.violations.length > 0)
    read(line)
  })
  return progress
}

type Dealt = Pick<ShardPlan, "seeds" | "stopAtFailure">

/** With which a shard leaves that was asked for what cannot be done: scripts/arguments. */
const REFUSED = 2

/**
 * @error Error where the shard leaves with anything but 0, or without a line for each of its seeds; StartupFailure
 *   where it was asked for what cannot be done
 */
export const runOne = (
  command: Command,
  plan: Dealt,
  read: Reader["read"],
  hear: Reader["hear"] = () => undefined,
): Effect.Effect<void, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => startChild(command)),
      (child) => stopChild(child),
    )
    const said = lastWordsOf(child.stderr)
    const progress = listen(child, plan, { hear, read })
    const ending = yield* Effect.callback<number | string>((resume) => {
      child.once("close", (code, signal) => resume(Effect.succeed(code ?? signal ?? "nothing")))
    })
    if (ending === 0 && progress.isOver && progress.torn === undefined) return
    if (ending === REFUSED) return yield* new StartupFailure({ message: said() })
    const ran = `a shard left with ${ending} after ${progress.lines} of ${plan.seeds.length} seeds`
    const torn = progress.torn === undefined ? "" : `, its last line torn (${progress.torn.slice(0, 100)})`
    const words = said() === "" ? "" : `: ${said()}`
    return yield* Effect.fail(new Error(`${ran}${torn}${words}`))
  })

/** The seeds dealt out in turn, so that all shards reach the same height at about the same time. */
const deal = (seeds: ReadonlyArray<number>, hands: number): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: hands }, (_, hand) => seeds.filter((_, place) => place % hands === hand)).filter(
    (dealt) => dealt.length > 0,
  )

let databases = 0

/**
 * Runs the seeds in so many processes. With `stopAtFailure` all end at the first failure.
 *
 * @param hear a shard's signs of life while it looks for the fewest faults
 * @error Error with the shard's last words
 */
export const runShards = (
  options: Omit<ShardPlan, "database">,
  jobs: number,
  read: Reader["read"],
  hear?: Reader["hear"],
): Effect.Effect<void, Error> =>
  Effect.scoped(
    Effect.gen(function* () {
      let failed = (): void => undefined
      const failure = Effect.callback<void>((resume) => {
        failed = () => resume(Effect.void)
      })
      const shards = Effect.forEach(
        deal(options.seeds, jobs),
        (seeds) => {
          const plan: ShardPlan = { ...options, seeds, database: `simulation_${++databases}` }
          const readOn = (line: ShardLine): void => {
            read(line)
            if (options.stopAtFailure && line.violations.length > 0) failed()
          }
          return runOne(commandOf(plan), plan, readOn, hear)
        },
        { concurrency: "unbounded", discard: true },
      )
      yield* Effect.raceFirst(shards, failure)
    }),
  )
