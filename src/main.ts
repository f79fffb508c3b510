/** argv -> program. The only file under src that sees layers/. */
import { Console, Effect, Layer, Option, Redacted, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { HttpRouter } from "effect/http"
import { migrate } from "../layers/db/Migrations.ts"
import { startSystem } from "../layers/Embedded.ts"
import { openHome, readText } from "../layers/embedded/Home.ts"
import { FAULT_PROFILE_NAMES, localnet } from "../layers/embedded/LocalnetProgram.ts"
import * as Live from "../layers/Live.ts"
import * as Platform from "../layers/platform/Platform.ts"
import { StartupFailure } from "../layers/platform/StartupFailure.ts"
import * as Logging from "../layers/telemetry/Logging.ts"
import { banner } from "./demo/Banner.ts"
import { demo } from "./demo/Demo.ts"
import { decodeDemoFile } from "./demo/DemoFile.ts"
import { formatReport } from "./demo/DemoReport.ts"
import { IssuanceControl } from "./issuance/IssuanceControl.ts"
import { makeId } from "./kernel/Ids.ts"
import { plainText } from "./kernel/PlainText.ts"
import * as Settings from "./kernel/Settings.ts"
import { Merchants } from "./merchant/Merchants.ts"
import * as ApiServer from "./programs/ApiServer.ts"
import { issuanceWorker } from "./programs/IssuanceWorker.ts"
import { WorkerReady, workerHealthRoutes } from "./programs/WorkerHealth.ts"

const all = Command.make(
  "all",
  {},
  Effect.fnUntraced(
    function* () {
      const system = yield* startSystem
      // Another key with each start: a known one would be answered with the reward of an earlier day.
      const key = `reward-${(yield* makeId("iss")).slice(-6).toLowerCase()}`
      yield* Console.log(banner(system.lines, Option.getOrUndefined(system.demo), system.home.demoFile, key))
      return yield* Effect.never
    },
    Effect.provide(Layer.merge(Logging.layerTerminal, Live.random)),
  ),
).pipe(
  Command.withDescription(
    "Everything on one machine: an embedded PostgreSQL and Stellar network where none are set, the API, the worker",
  ),
)

const api = Command.make(
  "api",
  {},
  Effect.fnUntraced(function* () {
    const options = { host: yield* Settings.host, port: yield* Settings.apiPort, setting: "PORT" }
    yield* Layer.launch(
      ApiServer.layer.pipe(
        Layer.provide(Layer.mergeAll(Live.api("api"), Platform.httpServer(options))),
        Layer.provide(Live.logging("api")),
      ),
    )
  }),
).pipe(Command.withDescription("The merchants' HTTP API"))

const worker = Command.make(
  "issuance-worker",
  {},
  Effect.fnUntraced(function* () {
    const options = { host: yield* Settings.host, port: yield* Settings.workerPort, setting: "WORKER_PORT" }
    const health = HttpRouter.serve(workerHealthRoutes, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provide(Platform.httpServer(options)),
    )
    yield* Effect.provide(
      issuanceWorker,
      Layer.mergeAll(Live.issuance("issuance-worker"), health).pipe(
        Layer.provideMerge(WorkerReady.layer),
        Layer.provideMerge(Live.logging("issuance-worker")),
      ),
    )
  }),
).pipe(Command.withDescription("Pays accepted rewards: claims, signs, sends, and reads the ledger's verdict"))

const localnetFlags = {
  ledgerFile: Flag.String("ledger-file").pipe(
    Flag.withDescription("Keeps the ledger in this file; in memory when absent"),
    Flag.optional,
  ),
  port: Flag.Int("port").pipe(
    Flag.withDescription("Port for everything, 0 for a free one; LOCALNET_PORT or 8000 when absent"),
    Flag.filter(
      (port) => port >= 0 && port <= 65_535,
      () => "a port, 0 to 65535",
    ),
    Flag.withFallbackConfig(Settings.localnetPort),
  ),
  closeIntervalMs: Flag.Int("close-interval-ms").pipe(
    Flag.withDescription("Milliseconds between ledgers; LOCALNET_CLOSE_INTERVAL_MS or 1000 when absent"),
    Flag.filter(
      (ms) => ms >= 1,
      () => "1 or more",
    ),
    Flag.withFallbackConfig(Settings.localnetCloseIntervalMs),
  ),
  profile: Flag.Literals("profile", ["mainnet", "testnet"]).pipe(
    Flag.withDescription("Operations in a ledger: mainnet's 1,000 or testnet's 200"),
    Flag.withDefault("mainnet" as const),
  ),
  passphrase: Flag.String("passphrase").pipe(
    Flag.withDescription("The network's passphrase; NETWORK_PASSPHRASE when absent"),
    Flag.withFallbackConfig(Settings.networkPassphrase),
  ),
  faultSeed: Flag.String("fault-seed").pipe(
    Flag.withDescription("Injects faults by this seed (any text); the same seed gives the same faults"),
    Flag.optional,
  ),
  faultProfile: Flag.Literals("fault-profile", FAULT_PROFILE_NAMES).pipe(
    Flag.withDescription("Which faults: mixed when only a seed is given; a seed is drawn when only this is"),
    Flag.optional,
  ),
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withDescription("Says one line at the start, not a screen"),
    Flag.withDefault(false),
  ),
}

const localnetCommand = Command.make("localnet", localnetFlags, ({ faultProfile, faultSeed, ...flags }) => {
  const faults = { profile: Option.getOrUndefined(faultProfile), seed: Option.getOrUndefined(faultSeed) }
  return localnet({ ...flags, ledgerFile: Option.getOrUndefined(flags.ledgerFile), faults })
}).pipe(Command.withDescription("The embedded Stellar network alone: Horizon, RPC and friendbot on one port"))

const migrateCommand = Command.make(
  "migrate",
  {},
  Effect.fnUntraced(
    function* () {
      const applied = yield* migrate
      for (const [id, name] of applied) yield* Console.log(`applied ${String(id).padStart(4, "0")} ${name}`)
      if (applied.length === 0) yield* Console.log("The schema is up to date.")
    },
    Effect.provide(Live.database("migrate")),
  ),
).pipe(Command.withDescription("Brings the database at DATABASE_URL to the newest schema"))

const count = (name: string, about: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`${about}, ${minimum} to ${maximum}`),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum, maximum }))),
  )

const demoCommand = Command.make(
  "demo",
  {
    rewards: count("rewards", "How many to issue", 1, 100_000).pipe(Flag.withDefault(1000)),
    repeats: count("repeats", "How many to send twice", 0, 100_000).pipe(Flag.withDefault(100)),
    concurrency: count("concurrency", "Requests at once", 1, 256).pipe(Flag.withDefault(32)),
  },
  Effect.fnUntraced(
    function* ({ concurrency, repeats, rewards }) {
      const home = yield* openHome
      const text = yield* readText(home.demoFile)
      if (Option.isNone(text)) {
        return yield* new StartupFailure({
          message: `There is no ${home.demoFile}: start the system first, with npm start in another terminal.`,
        })
      }
      const file = yield* decodeDemoFile(text.value)
      const plan = { rewards, repeats: Math.min(repeats, rewards), concurrency, out: process.stdout }
      const report = yield* demo(file, plan)
      yield* Console.log(`\n${formatReport(report)}\n`)
    },
    Effect.provide(Layer.mergeAll(Live.httpClient, Live.random)),
  ),
).pipe(Command.withDescription("Issues rewards against a running `nova all` and says what came of them"))

const merchantCreate = Command.make(
  "create",
  {
    name: Flag.String("name").pipe(
      Flag.withDescription("What the merchant is called, 1 to 200 characters"),
      Flag.withSchema(plainText(1, 200)),
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Prints one JSON object, for scripts"),
      Flag.withDefault(false),
    ),
  },
  Effect.fnUntraced(
    function* ({ json, name }) {
      const merchants = yield* Merchants
      const mode = yield* Settings.keyMode
      const merchant = yield* merchants.create({ name })
      const apiKey = Redacted.value(yield* merchants.createKey({ merchantId: merchant.id, mode }))
      yield* Console.log(
        json
          ? JSON.stringify({ merchantId: merchant.id, name, mode, apiKey })
          : `merchant  ${merchant.id}  ${name}\nkey       ${apiKey}\n\nThe key is shown this once only: keep it as you keep a password.`,
      )
    },
    Effect.provide(Live.merchantServices("merchant")),
  ),
).pipe(Command.withDescription("Makes a merchant with its first API key, in the database at DATABASE_URL"))

const merchant = Command.make("merchant").pipe(
  Command.withDescription("Makes merchants, who issue rewards"),
  Command.withSubcommands([merchantCreate]),
)

const resume = Command.make(
  "resume",
  {},
  Effect.fnUntraced(
    function* () {
      const reason = yield* IssuanceControl.use((control) => control.resume)
      yield* Console.log(
        reason === undefined ? "Issuing was not paused." : `Issuing goes on. It was paused: ${reason}`,
      )
    },
    Effect.provide(Live.issuanceControl("resume")),
  ),
).pipe(
  Command.withDescription(
    "Lets issuing go on after the worker paused it because the ledger refused the program",
  ),
)

const nova = Command.make("nova").pipe(
  Command.withDescription(
    "Nova Rewards: from a merchant's request to a payment on the Stellar ledger, exactly once",
  ),
  Command.withSubcommands([all, api, worker, localnetCommand, migrateCommand, demoCommand, merchant, resume]),
)

Platform.runMain(Command.run(nova, { version: "0.1.0" }).pipe(Effect.provide(Platform.services)))
