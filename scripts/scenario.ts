/**
 * `bun run scenario --network local|testnet`, or against any other network:
 * `bun run scenario --horizon <url> --rpc <url> --passphrase <text> [--friendbot <url>]`.
 *
 * Plays test/scenario with the official SDK and prints a line for every step. Ends with 1 where a step failed.
 */
import { withLocalTarget } from "../test/scenario/LocalTarget.ts"
import { playScenario } from "../test/scenario/Scenario.ts"
import { scenarioTable } from "../test/scenario/Table.ts"
import { type Target, TESTNET } from "../test/scenario/Target.ts"
import { readOptions, refuseArguments } from "./arguments/ReadOptions.ts"

const USAGE =
  "usage: bun run scenario --network local|testnet, or --horizon <url> --rpc <url> --passphrase <text> [--friendbot <url>]"

const refuse = (sentence: string): never => refuseArguments(`${sentence}\n${USAGE}`)

const text = { type: "string" } as const
const given = readOptions(
  import.meta.path,
  { network: text, horizon: text, rpc: text, passphrase: text, friendbot: text },
  [],
)

const targetGiven = (): Target | undefined => {
  const { friendbot, horizon, passphrase, rpc } = given
  if (horizon === undefined && rpc === undefined && passphrase === undefined) return undefined
  if (horizon === undefined || rpc === undefined || passphrase === undefined) {
    return refuse("A network is given by all of --horizon, --rpc and --passphrase.")
  }
  const horizonUrl = horizon.replace(/\/+$/, "")
  return {
    name: horizonUrl,
    horizonUrl,
    rpcUrl: rpc,
    passphrase,
    friendbotUrl: friendbot ?? `${horizonUrl}/friendbot`,
  }
}

const play = async (target: Target): Promise<void> => {
  console.log(`Scenario against ${target.name}: Horizon ${target.horizonUrl}, RPC ${target.rpcUrl}`)
  const startedMs = performance.now()
  const results = await playScenario(target)
  const failed = results.filter(({ failure }) => failure !== undefined).length
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  console.log(scenarioTable(results))
  console.log(`\n${results.length - failed} as expected, ${failed} failed, in ${seconds} s`)
  process.exitCode = failed === 0 ? 0 : 1
}

const target = targetGiven()
const { network = "local" } = given
if (target !== undefined) await play(target)
else if (network === "testnet") await play(TESTNET)
else if (network === "local") await withLocalTarget(play)
else refuse(`There is no network "${network}" by name.`)
