/** `nova all`, `nova api`, `nova issuance-worker`: the programs that run until they are stopped. */
import { Console, Effect, Layer, Option } from "effect"
import { Command } from "effect/cli"
import { HttpRouter } from "effect/http"
import { startSystem } from "../../layers/Embedded.ts"
import * as Live from "../../layers/Live.ts"
import * as Platform from "../../layers/platform/Platform.ts"
import * as Logging from "../../layers/telemetry/Logging.ts"
import { banner } from "../demo/Banner.ts"
import { makeId } from "../kernel/Ids.ts"
import * as Settings from "../kernel/Settings.ts"
import * as ApiServer from "../programs/ApiServer.ts"
import { issuanceWorker } from "../programs/IssuanceWorker.ts"
import { WorkerReady, workerHealthRoutes } from "../programs/WorkerHealth.ts"

export const allCommand = Command.make(
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

export const apiCommand = Command.make(
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

export const workerCommand = Command.make(
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
