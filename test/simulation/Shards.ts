/** Runs seeds in child processes, each with a database of its own at one PostgreSQL, and hands their lines on. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Effect, type Scope } from "effect"
import { dieWithParent } from "../../layers/platform/DieWithParent.ts"
import { stopChild } from "../../layers/platform/ProcessIdentity.ts"
import type { ShardLine, ShardPlan } from "./Shard.ts"

const checkout = join(import.meta.dir, "../..")

const startChild = (plan: ShardPlan): ChildProcess => {
  const [program = "", ...args] = dieWithParent(
    [
      process.execPath,
      `--config=${join(checkout, "bunfig.toml")}`,
      "--no-env-file",
      join(checkout, "scripts/simulate.ts"),
      "--shard",
      JSON.stringify(plan),
    ],
    "TERM",
  )
  return spawn(program, args, { cwd: checkout, stdio: ["ignore", "pipe", "pipe"] })
}

/** What a shard says that is not a line of its own: the last of it explains an end that is none. */
const SAID_MAX = 4_000

/** Runs one shard to its end; fails where it leaves with anything but 0. */
const runOne = (plan: ShardPlan, read: (line: ShardLine) => void): Effect.Effect<void, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => startChild(plan)),
      stopChild,
    )
    let said = ""
    child.stderr?.on("data", (chunk) => {
      said = (said + String(chunk)).slice(-SAID_MAX)
    })
    const lines = child.stdout === null ? undefined : createInterface({ input: child.stdout })
    lines?.on("line", (line) => {
      if (line.startsWith("{")) read(JSON.parse(line))
    })
    const code = yield* Effect.callback<number>((resume) => {
      child.once("close", (left) => resume(Effect.succeed(left ?? 1)))
    })
    if (code !== 0) return yield* Effect.fail(new Error(`a shard left with ${code}: ${said}`))
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
 * @error Error with the shard's last words
 */
export const runShards = (
  options: Omit<ShardPlan, "database">,
  jobs: number,
  read: (line: ShardLine) => void,
): Effect.Effect<void, Error> =>
  Effect.scoped(
    Effect.gen(function* () {
      let failed = (): void => undefined
      const failure = Effect.callback<void>((resume) => {
        failed = () => resume(Effect.void)
      })
      const shards = Effect.forEach(
        deal(options.seeds, jobs),
        (seeds) =>
          runOne({ ...options, seeds, database: `simulation_${++databases}` }, (line) => {
            read(line)
            if (options.stopAtFailure && line.violations.length > 0) failed()
          }),
        { concurrency: "unbounded", discard: true },
      )
      yield* Effect.raceFirst(shards, failure)
    }),
  )
