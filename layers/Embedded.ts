/**
 * `npm start`: the servers that a laptop lacks, and every program beside them, as one tree of processes that is
 * started in order, healed when a part dies, and stopped in reverse.
 *
 * What the settings name already (a DATABASE_URL, a network) is used instead of an embedded part. The programs
 * themselves run as they do anywhere else, by Live.ts.
 */
import { hostname } from "node:os"
import { join } from "node:path"
import { Keypair } from "@stellar/stellar-sdk"
import { Config, ConfigProvider, Effect, Layer, Option } from "effect"
import { type DemoFile, decodeDemoFile } from "../src/demo/DemoFile.ts"
import type { DemoKeys } from "../src/demo/DemoKeys.ts"
import { firstRun } from "../src/demo/FirstRun.ts"
import * as Settings from "../src/kernel/Settings.ts"
import { prepareEmbeddedPostgres } from "./db/EmbeddedPostgres.ts"
import { migrate } from "./db/Migrations.ts"
import { type Home, loadKeys, openHome, packageRoot, readText, writeJson } from "./embedded/Home.ts"
import { answers } from "./embedded/Readiness.ts"
import * as Live from "./Live.ts"
import { ensurePortFree } from "./platform/FreePort.ts"
import { StartupFailure } from "./platform/StartupFailure.ts"
import { makeSupervisor, type Supervisor } from "./supervisor/Supervisor.ts"

/** Settings that the embedded parts add to the environment of the programs. */
type Environment = Readonly<Record<string, string>>

export interface RunningSystem {
  readonly home: Home
  readonly apiUrl: string
  readonly lines: ReadonlyArray<string>
  /** None where the network is not the embedded one. */
  readonly demo: Option.Option<DemoFile>
}

const isSet = (name: string) => Config.option(Config.NonEmptyString(name)).pipe(Effect.map(Option.isSome))

const programCommand = (...args: ReadonlyArray<string>) => [
  process.execPath,
  // The launcher has read the .env beside package.json; one in the current directory is not ours.
  "--no-env-file",
  join(packageRoot, "src/main.ts"),
  ...args,
]

const startPostgres = Effect.fnUntraced(function* (home: Home, supervisor: Supervisor) {
  if (yield* isSet("DATABASE_URL")) return { environment: {}, line: "PostgreSQL   as DATABASE_URL says" }
  const postgres = yield* prepareEmbeddedPostgres({
    directory: home.postgres,
    database: "nova",
    durable: true,
  })
  yield* supervisor.supervise(postgres.child)
  if (postgres.note !== undefined) yield* Effect.logInfo(postgres.note)
  return {
    environment: { DATABASE_URL: postgres.connection.url },
    line: `PostgreSQL   ${postgres.connection.url}`,
  }
})

const startLocalnet = Effect.fnUntraced(function* (home: Home, supervisor: Supervisor, keys: DemoKeys) {
  const port = yield* Settings.localnetPort
  const url = `http://127.0.0.1:${port}`
  yield* supervisor.supervise({
    name: "localnet",
    command: programCommand("localnet", "--quiet", "--ledger-file", home.ledgerFile),
    logFile: home.logOf("localnet"),
    prepare: ensurePortFree({ host: "127.0.0.1", port, setting: "LOCALNET_PORT" }),
    isReady: () => answers(`${url}/`),
  })
  return {
    environment: {
      HORIZON_URL: url,
      SOROBAN_RPC_URL: `${url}/rpc`,
      NOVA_ASSET_ISSUER: Keypair.fromSecret(keys.issuerSecret).publicKey(),
      NOVA_DISTRIBUTION_ADDRESS: Keypair.fromSecret(keys.distributionSecret).publicKey(),
    },
    secrets: { NOVA_DISTRIBUTION_SECRET: keys.distributionSecret, NOVA_CHANNEL_SEED: keys.channelSeed },
    line: `Stellar      ${url} (embedded: Horizon, RPC at /rpc, friendbot)`,
  }
})

const startNetwork = Effect.fnUntraced(function* (home: Home, supervisor: Supervisor) {
  const network = yield* Settings.stellarNetwork
  const isEmbedded = network === "local" && !(yield* isSet("SOROBAN_RPC_URL"))
  if (!isEmbedded) {
    const url = yield* Settings.sorobanRpcUrl
    // Asked for here, so that a missing one is said before anything has started.
    yield* Effect.all([Settings.horizonUrl, Settings.networkPassphrase, Settings.assetIssuer])
    yield* Effect.all([Settings.distributionSecret, Settings.channelSeed])
    return {
      part: { environment: {}, secrets: {}, line: `Stellar      ${url} (${network})` },
      keys: Option.none<DemoKeys>(),
    }
  }
  const keys = yield* loadKeys(home)
  return { part: yield* startLocalnet(home, supervisor, keys), keys: Option.some(keys) }
})

const migrateDatabase = Effect.gen(function* () {
  const applied = yield* migrate
  if (applied.length > 0)
    yield* Effect.logInfo(`database migrated: ${applied.map(([, name]) => name).join(", ")}`)
}).pipe(Effect.provide(Live.database("migrate")))

/** The demo file, from the earlier start that made it or by making everything that it names. */
const prepareDemo = Effect.fnUntraced(function* (home: Home, keys: DemoKeys, apiUrl: string) {
  const known = yield* readText(home.demoFile)
  if (Option.isSome(known)) {
    const file = yield* decodeDemoFile(known.value).pipe(
      Effect.mapError(
        () =>
          new StartupFailure({
            message: `${home.demoFile} is damaged: remove it, and the next start writes it anew.`,
          }),
      ),
    )
    const current = {
      ...file,
      apiUrl,
      horizonUrl: yield* Settings.horizonUrl,
      rpcUrl: yield* Settings.sorobanRpcUrl,
    }
    yield* writeJson(home.demoFile, current)
    return current
  }
  yield* Effect.logInfo("first run: making accounts, trustlines, a treasury, a merchant and a campaign")
  const place = {
    apiUrl,
    horizonUrl: yield* Settings.horizonUrl,
    rpcUrl: yield* Settings.sorobanRpcUrl,
    networkPassphrase: yield* Settings.networkPassphrase,
    assetCode: yield* Settings.assetCode,
  }
  const file = yield* firstRun(place, keys).pipe(
    Effect.provide(Layer.mergeAll(Live.merchantServices("first-run"), Live.network)),
  )
  yield* writeJson(home.demoFile, file)
  return file
})

/** `secrets` go to the one program that signs. */
const startPrograms = Effect.fnUntraced(function* (
  home: Home,
  supervisor: Supervisor,
  env: Environment,
  secrets: Environment,
) {
  const host = yield* Settings.host
  const apiPort = yield* Settings.apiPort
  const workerPort = yield* Settings.workerPort
  const apiUrl = `http://${host}:${apiPort}`
  const workerUrl = `http://${host}:${workerPort}`
  yield* supervisor.supervise({
    name: "api",
    command: programCommand("api"),
    env,
    logFile: home.logOf("api"),
    prepare: ensurePortFree({ host, port: apiPort, setting: "PORT" }),
    isReady: () => answers(`${apiUrl}/health/ready`),
  })
  yield* supervisor.supervise({
    name: "issuance-worker",
    command: programCommand("issuance-worker"),
    // One worker for each home: after a kill it takes up its channels without waiting for their leases.
    env: { ISSUANCE_WORKER_NAME: `${hostname()}:${home.path}`, ...env, ...secrets },
    logFile: home.logOf("issuance-worker"),
    prepare: ensurePortFree({ host, port: workerPort, setting: "WORKER_PORT" }),
    isReady: () => answers(`${workerUrl}/health/ready`),
    readyWithinMs: 120_000,
  })
  return [
    `API          ${apiUrl} (docs: ${apiUrl}/api/docs)`,
    `worker       ${workerUrl}/health`,
    `logs         ${join(home.path, "logs")}`,
  ]
})

const checkPortsDiffer = Effect.gen(function* () {
  const ports = [
    ["PORT", yield* Settings.apiPort],
    ["WORKER_PORT", yield* Settings.workerPort],
    ["LOCALNET_PORT", yield* Settings.localnetPort],
  ] as const
  const [name, port] =
    ports.find(([, one], index) => ports.findIndex(([, other]) => other === one) < index) ?? []
  if (name === undefined) return
  return yield* new StartupFailure({
    message: `${name} is ${port}, like another port setting: give each program a port of its own.`,
  })
})

/** Starts what is needed, and keeps it running until the scope closes. */
export const startSystem = Effect.gen(function* () {
  yield* Settings.checkGiven
  const home = yield* openHome
  yield* checkPortsDiffer
  const supervisor = yield* makeSupervisor({ home: home.path })
  yield* Effect.addFinalizer(() => Effect.logInfo("stopped; the data stays"))
  const { keys, part: network } = yield* startNetwork(home, supervisor)
  const postgres = yield* startPostgres(home, supervisor)
  const env: Environment = { ...postgres.environment, ...network.environment }
  const apiUrl = `http://${yield* Settings.host}:${yield* Settings.apiPort}`
  const demo = yield* Effect.gen(function* () {
    yield* migrateDatabase
    return Option.isNone(keys)
      ? Option.none<DemoFile>()
      : Option.some(yield* prepareDemo(home, keys.value, apiUrl))
  }).pipe(Effect.provide(ConfigProvider.layerAdd(ConfigProvider.fromEnv({ env }), { asPrimary: true })))
  const programs = yield* startPrograms(home, supervisor, env, network.secrets)
  yield* writeJson(home.settingsFile, { ...env, ...network.secrets })
  yield* Effect.addFinalizer(() => Effect.logInfo("stopping"))
  return { home, apiUrl, demo, lines: [...programs, network.line, postgres.line] } satisfies RunningSystem
})
