/**
 * `bun run bench localnet [--quick]`, `bun run bench settle [--quick] ...`: measures, prints tables, and one JSON
 * object as the last line.
 */
import { benchLocalnet, FULL, QUICK } from "../bench/localnet/LocalnetBench.ts"
import { planOf, USAGE } from "../bench/settle/Plan.ts"
import { benchSettle } from "../bench/settle/SettleBench.ts"
import { runMain } from "../layers/platform/Platform.ts"

const [name, ...flags] = process.argv.slice(2)
const isQuick = flags[0] === "--quick"
const settlePlan = name === "settle" ? planOf(flags) : undefined

if (name === "localnet" && flags.length <= (isQuick ? 1 : 0)) {
  benchLocalnet(isQuick ? QUICK : FULL, console.log)
} else if (settlePlan !== undefined) {
  runMain(benchSettle(settlePlan, console.log), { interruptedCode: 130 })
} else {
  console.error(`usage: bun run bench localnet [--quick]\n${USAGE.replace("usage:", "      ")}`)
  process.exitCode = 2
}
