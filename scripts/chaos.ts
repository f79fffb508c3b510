/**
 * `npm run chaos`: real processes on the real HTTP path, killed, stopped and put to sleep while merchants order; then
 * trouble with the database. Afterwards every invariant, on a table and as one JSON object in the last line.
 *
 *   --issuances N    rewards that are ordered during the kills (10,000)
 *   --kills N        processes that are killed with -9 (200); sleeps and orderly stops come on top
 *   --merchants N    who order (4)
 *   --keys N         keys that a hundred requests at once are sent with (1,000)
 *   --open-ms N      how long a foreign transaction keeps every campaign locked (150,000)
 *   --seed n         repeats what was drawn: strikes, moments, orders; the machine's own timing it cannot repeat
 *   --only kills     or database: one part of it
 *
 * Ends with 1 where an invariant did not hold or a reward was stuck for more than 15 ledgers. Only on Linux.
 */
import { Effect } from "effect"
import { hardware } from "../bench/Hardware.ts"
import { table } from "../bench/Table.ts"
import { runMain } from "../layers/platform/Platform.ts"
import { StartupFailure } from "../layers/platform/StartupFailure.ts"
import { makeProgressBar } from "../src/demo/ProgressBar.ts"
import { runKills } from "../test/chaos/experiment/Kills.ts"
import { databaseRows, killRows } from "../test/chaos/experiment/Tables.ts"
import { runDatabase } from "../test/chaos/experiment/Throughput.ts"
import { whyNot } from "../test/chaos/support/NovaSystem.ts"
import { readOptions, refuseArguments } from "./arguments/ReadOptions.ts"

const values = readOptions(
  import.meta.path,
  {
    issuances: { type: "string", default: "10000" },
    kills: { type: "string", default: "200" },
    merchants: { type: "string", default: "4" },
    keys: { type: "string", default: "1000" },
    "open-ms": { type: "string", default: "150000" },
    seed: { type: "string" },
    only: { type: "string" },
  },
  ["issuances", "kills", "merchants", "keys", "open-ms", "seed"],
)

if (!["kills", "database", undefined].includes(values.only))
  refuseArguments(`--only is kills or database, not "${values.only}".`)

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)

/** A dead or sleeping worker's channels are free again after it; 15 s by default. */
const LEASE_MS = 3_000

const report = (violations: ReadonlyArray<string>): void => {
  for (const violation of violations) console.log(`VIOLATION ${violation}`)
}

const kills = Effect.gen(function* () {
  let bar: ReturnType<typeof makeProgressBar> | undefined
  const figures = yield* runKills({
    seed,
    issuances: Number(values.issuances),
    kills: Number(values.kills),
    merchants: Number(values.merchants),
    leaseMs: LEASE_MS,
    onStrike: (done, of) => {
      bar ??= makeProgressBar("strikes (kills, sleeps, stops)", of, process.stderr)
      bar.update(done)
    },
  })
  bar?.finish()
  console.log(table("Killed, stopped, put to sleep", killRows(figures)))
  report(figures.violations)
  return figures
})

const database = Effect.gen(function* () {
  const figures = yield* runDatabase({
    seed,
    keys: Number(values.keys),
    openMs: Number(values["open-ms"]),
    say: (what) => process.stderr.write(`database: ${what}\n`),
  })
  console.log(table("A database in trouble", databaseRows(figures)))
  report(figures.violations)
  return figures
})

const program = Effect.gen(function* () {
  if (whyNot !== undefined) return yield* new StartupFailure({ message: `${whyNot}.` })
  const machine = hardware()
  console.log(`seed ${seed}; the embedded PostgreSQL with fsync, the embedded network with a ledger a second`)
  const killed = values.only === "database" ? undefined : yield* Effect.scoped(kills)
  const troubled = values.only === "kills" ? undefined : yield* Effect.scoped(database)
  const violations = (killed?.violations.length ?? 0) + (troubled?.violations.length ?? 0)
  const stuck = killed?.stuck ?? 0
  console.log(
    JSON.stringify({ seed, violations, stuck, kills: killed, database: troubled, hardware: machine }),
  )
  if (violations + stuck > 0) process.exitCode = 1
})

runMain(program, { interruptedCode: 130 })
