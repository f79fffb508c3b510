/** The real programs as child processes: the network, the issuance workers, the API. With the scope they stop. */
import { createServer } from "node:net"
import { join } from "node:path"
import { Effect } from "effect"
import { packageRoot } from "../../layers/embedded/Home.ts"
import { answers } from "../../layers/embedded/Readiness.ts"
import { inheritedEnvironment } from "../../layers/platform/Environment.ts"
import { awaitReady, runChild } from "../../layers/supervisor/ChildRun.ts"
import type { ChildSpec } from "../../layers/supervisor/ChildSpec.ts"
import * as Settings from "../../src/kernel/Settings.ts"
import { type Accounts, ASSET_CODE, PASSPHRASE } from "./Accounts.ts"
import type { Profile } from "./Plan.ts"

export type Environment = Readonly<Record<string, string>>

/** Nothing of our own surroundings may decide what is measured: no setting is inherited. */
const surroundings = (): Environment => {
  const settings = new Set(Settings.all.map(({ name }) => name))
  return Object.fromEntries(Object.entries(inheritedEnvironment()).filter(([name]) => !settings.has(name)))
}

const program = (...args: ReadonlyArray<string>): ReadonlyArray<string> => [
  process.execPath,
  "--no-env-file",
  join(packageRoot, "src/main.ts"),
  ...args,
]

/** A port that nobody listens on now. */
const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const probe = createServer()
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    probe.close(() => resume(Effect.succeed(port)))
  })
})

const run = Effect.fnUntraced(function* (
  directory: string,
  spec: Pick<ChildSpec, "name" | "command" | "isReady" | "readyWithinMs"> & { readonly env: Environment },
) {
  const child: ChildSpec = {
    ...spec,
    env: { ...surroundings(), ...spec.env },
    environmentIsWhole: true,
    logFile: join(directory, `${spec.name}.log`),
    stopSteps: [
      { signal: "SIGTERM", waitMs: 10_000 },
      { signal: "SIGKILL", waitMs: 2000 },
    ],
  }
  const life = yield* runChild(child, join(directory, `${spec.name}.pid.json`))
  yield* awaitReady(child, life)
  return life
})

export interface RunningNetwork {
  readonly pid: number
  readonly url: string
}

/** The embedded network on a ledger file, closing ledgers at the given pace. */
export const startNetwork = Effect.fn("bench.startNetwork")(function* (
  directory: string,
  options: { readonly ledgerFile: string; readonly closeIntervalMs: number; readonly profile: Profile },
) {
  const port = yield* freePort
  const url = `http://127.0.0.1:${port}`
  const { pid } = yield* run(directory, {
    name: "localnet",
    command: program(
      ...["localnet", "--quiet", "--port", String(port), "--profile", options.profile],
      ...["--close-interval-ms", String(options.closeIntervalMs), "--ledger-file", options.ledgerFile],
    ),
    env: { NETWORK_PASSPHRASE: PASSPHRASE },
    isReady: () => answers(`${url}/`),
  })
  return { pid, url } satisfies RunningNetwork
})

/** What the programs need to know of network, asset and database. */
export const programEnvironment = (
  databaseUrl: string,
  network: RunningNetwork,
  accounts: Accounts,
): Environment => ({
  DATABASE_URL: databaseUrl,
  NETWORK_PASSPHRASE: PASSPHRASE,
  HORIZON_URL: network.url,
  SOROBAN_RPC_URL: `${network.url}/rpc`,
  NOVA_ASSET_CODE: ASSET_CODE,
  NOVA_ASSET_ISSUER: accounts.issuer,
  NOVA_DISTRIBUTION_ADDRESS: accounts.distribution,
})

/** Keys of the one program that signs. */
export const signingEnvironment = (accounts: Accounts): Environment => ({
  NOVA_DISTRIBUTION_SECRET: accounts.distributionSecret,
  NOVA_CHANNEL_SEED: "5e".repeat(32),
})

/** Ready once its channels exist; answers with its pid. */
export const startWorker = Effect.fn("bench.startWorker")(function* (
  directory: string,
  name: string,
  env: Environment,
) {
  const port = yield* freePort
  const { pid } = yield* run(directory, {
    name,
    command: program("issuance-worker"),
    env: { ...env, WORKER_PORT: String(port) },
    isReady: () => answers(`http://127.0.0.1:${port}/health/ready`),
    readyWithinMs: 120_000,
  })
  return pid
})

/** Answers with the API's address. */
export const startApi = Effect.fn("bench.startApi")(function* (directory: string, env: Environment) {
  const port = yield* freePort
  const url = `http://127.0.0.1:${port}`
  yield* run(directory, {
    name: "api",
    command: program("api"),
    env: { ...env, PORT: String(port) },
    isReady: () => answers(`${url}/health/ready`),
  })
  return url
})
