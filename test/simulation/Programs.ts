/**
 * The programs of a run: started as their processes start, killed and stopped as the plan says, started again by
 * whoever watches over them. A killed one leaves everything as it was: no finalizer runs, nothing is given back.
 */
import { Cause, type Context, Effect, Exit, type Fiber, Layer, Logger, References, type Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import * as SubmissionRpc from "../../layers/submission/SubmissionRpc.ts"
import * as Wiring from "../../layers/Test.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import type { IssuanceSettings } from "../../src/issuance/IssuanceSettings.ts"
import { Issuances } from "../../src/issuance/Issuances.ts"
import { Signer } from "../../src/ports/Signer.ts"
import { issuanceWorker } from "../../src/programs/IssuanceWorker.ts"
import { WorkerReady } from "../../src/programs/WorkerHealth.ts"
import { signer as signerLayer } from "../support/TestNetwork.ts"
import { chanceOf } from "./Chance.ts"
import type { Database } from "./Database.ts"
import type { StepFault } from "./Fault.ts"
import type { Gate } from "./Gate.ts"
import type { Nodes } from "./Nodes.ts"
import { makeProcess, type Process } from "./Process.ts"
import type { World } from "./World.ts"

export type ApiServices = Context.Context<Issuances | Campaigns>

type Program = (process: Process) => Effect.Effect<unknown, unknown, Scope.Scope>

export interface Programs {
  readonly start: (program: string) => void
  readonly crash: (
    process: Process,
    fault: Pick<Extract<StepFault, { kind: "crash" }>, "restartMs" | "lingerMs">,
  ) => void
  readonly stop: (process: Process, restartMs: number) => void
  /** The services of an API that is up. */
  readonly api: (program: string) => { readonly process: Process; readonly services: ApiServices } | undefined
  readonly isUp: (program: string) => boolean
}

/** A process that was told to stop is killed after this time. */
const STOP_MS = 30_000

/** After it has ended by itself. */
const RESTART_MS = 3_000

// The same for every run: it holds keys and nothing else.
const signer = Effect.runSync(Effect.scoped(Effect.provide(Signer, signerLayer)))

const randomFor = ({ chance }: Process) =>
  Layer.succeed(
    SecureRandom.SecureRandom,
    SecureRandom.make((size) => chance.bytes(size)),
  )

/** What is said beside the words, where it is the same in every run. */
const SAID = ["answer", "reason", "channel"]

const loggerFor = (world: World, { name }: Process) =>
  Logger.layer([
    Logger.make(({ fiber, logLevel, message }) => {
      const words = (Array.isArray(message) ? message : [message]).filter((word) => typeof word === "string")
      const annotations = fiber.getRef(References.CurrentLogAnnotations)
      const beside = SAID.flatMap((key) => (key in annotations ? [`${key}=${String(annotations[key])}`] : []))
      world.say(name, [`[${logLevel}]`, ...words, ...beside].join(" "))
    }),
  ])

export interface ProgramsOptions {
  readonly seed: number
  readonly world: World
  readonly database: Database
  readonly nodes: Nodes
  readonly gate: Gate
  readonly settingsOf: (program: string) => IssuanceSettings["Service"]
  /** Whether nothing that goes wrong any more could excuse a program's end. */
  readonly mustLive: () => boolean
  /** What the clock of a program's machine is ahead of the world's time, in ms. */
  readonly clockAheadMs: (program: string) => number
}

export const makePrograms = ({
  clockAheadMs,
  database,
  gate,
  mustLive,
  nodes,
  seed,
  settingsOf,
  world,
}: ProgramsOptions): Programs => {
  const starts = new Map<string, number>()
  const running = new Map<string, { process: Process; fiber: Fiber.Fiber<unknown, unknown> }>()
  const apis = new Map<string, { process: Process; services: ApiServices }>()

  const worker: Program = (process) =>
    Effect.gen(function* () {
      const sql = yield* database.clientFor(process)
      const ports = Layer.mergeAll(
        Layer.succeed(SqlClient.SqlClient, sql),
        Layer.succeed(Signer, signer),
        Layer.provideMerge(SubmissionRpc.layer, nodes.layerFor(process, gate)),
      )
      const services = Layer.provideMerge(Wiring.issuance(settingsOf(process.program)), ports)
      const all = Layer.mergeAll(services, WorkerReady.layer).pipe(Layer.merge(randomFor(process)))
      yield* Effect.provide(issuanceWorker, all, { local: true })
    })

  const api: Program = (process) =>
    Effect.gen(function* () {
      const sql = yield* database.clientFor(process)
      const needs = Layer.merge(Layer.succeed(SqlClient.SqlClient, sql), randomFor(process))
      const layer = Layer.provideMerge(Layer.provideMerge(Issuances.layer, Campaigns.layer), needs)
      yield* Effect.gen(function* () {
        apis.set(process.program, {
          process,
          services: yield* Effect.context<Issuances | Campaigns>(),
        })
        return yield* Effect.never
      }).pipe(Effect.provide(layer, { local: true }))
    })

  const restart = (program: string, delayMs: number): void => {
    world.after(delayMs, () => {
      if (!running.has(program)) start(program)
    })
  }

  const start = (program: string): void => {
    const count = (starts.get(program) ?? 0) + 1
    starts.set(program, count)
    const name = `${program}#${count}`
    const ahead = clockAheadMs(program)
    const process = makeProcess(world, {
      program,
      name,
      chance: chanceOf(seed, name),
      clockAheadMs: ahead,
    })
    world.say(name, ahead === 0 ? "starts" : `starts, its clock ${ahead} ms ahead`)
    const root = Effect.scoped((program.startsWith("api") ? api : worker)(process)).pipe(
      Effect.provide(loggerFor(world, process)),
      Effect.withTracerEnabled(false),
    )
    const fiber = Effect.runForkWith(process.context)(root)
    running.set(program, { process, fiber })
    process.onEnd(() => {
      running.delete(program)
      apis.delete(program)
    })
    fiber.addObserver((exit) => {
      if (!process.isAlive()) return
      world.say(name, `ends: ${Exit.isSuccess(exit) ? "done" : endOf(exit.cause)}`)
      const isAsked = Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
      if (!isAsked && mustLive()) world.violate(`${name} ended by itself: ${endOf(exit.cause)}`)
      process.end("exited")
      database.forsake(process, 0)
      restart(program, RESTART_MS)
    })
    process.fibers.drain()
  }

  const kill = (process: Process, lingerMs: number, restartMs: number): void => {
    if (!process.isAlive()) return
    world.say(process.name, "is killed")
    process.end("killed")
    database.forsake(process, lingerMs)
    restart(process.program, restartMs)
  }

  return {
    start,
    crash: (process, { lingerMs, restartMs }) => kill(process, lingerMs, restartMs),
    stop: (process, restartMs) => {
      const found = running.get(process.program)
      if (found?.process !== process) return
      world.say(process.name, "is told to stop")
      found.fiber.interruptUnsafe()
      process.fibers.drain()
      world.after(STOP_MS, () => kill(process, 0, restartMs))
    },
    api: (program) => apis.get(program),
    isUp: (program) => running.has(program),
  }
}

const endOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "stopped"
  const error = Cause.squash(cause)
  return error instanceof Error ? `${error.name} ${error.message.slice(0, 120)}` : String(error)
}
