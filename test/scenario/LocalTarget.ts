/** An embedded network of our own for the scenario, on a free port, with ledgers that close fast. */
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { startLocalnetServer } from "../../layers/localnet/LocalnetServer.ts"
import type { Target } from "./Target.ts"

const PASSPHRASE = "The scenario's network ; 2026"
const CLOSE_INTERVAL_MS = 40

/** Runs `use` against it, and stops it afterwards. */
export const withLocalTarget = async <A>(use: (target: Target) => Promise<A>): Promise<A> => {
  const network = openNetwork({
    settings: { passphrase: PASSPHRASE, closeIntervalMs: CLOSE_INTERVAL_MS },
    now: () => Math.floor(Date.now() / 1000),
  })
  const place = { hostname: "127.0.0.1", port: 0, closeIntervalMs: CLOSE_INTERVAL_MS }
  const server = await startLocalnetServer({ network, ...place })
  try {
    return await use({
      name: "local",
      horizonUrl: server.url,
      rpcUrl: `${server.url}/rpc`,
      passphrase: PASSPHRASE,
      friendbotUrl: `${server.url}/friendbot`,
    })
  } finally {
    await server.stop()
    network.close()
  }
}
