/** `bun run bench localnet [--quick]`: measures, prints tables, and one JSON object as the last line. */
import { benchLocalnet, FULL, QUICK } from "../bench/localnet/LocalnetBench.ts"

const [name, ...flags] = process.argv.slice(2)
const isQuick = flags[0] === "--quick"

if (name !== "localnet" || flags.length > (isQuick ? 1 : 0)) {
  console.error("usage: bun run bench localnet [--quick]")
  process.exitCode = 2
} else {
  benchLocalnet(isQuick ? QUICK : FULL, console.log)
}
