/**
 * A whole Nova Rewards on a home folder of its own: started as `npm start` does it, killed as a test wants it, and
 * never left behind.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { dieWithParent } from "../../../layers/platform/DieWithParent.ts"
import { checkout, type Started, start, temporaryDirectory } from "../../support/Processes.ts"
import { describe, killAll, type Part, partOf, processesOf, signal } from "./HomeProcesses.ts"
import { freePorts, isFree } from "./Ports.ts"

/** Settings for every start on the home, beside folder and ports. */
export type Extra = Readonly<Record<string, string>>

export interface Place {
  readonly home: string
  readonly apiPort: number
  readonly workerPort: number
  readonly localnetPort: number
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What starts the system. */
  readonly command: ReadonlyArray<string>
}

/** What $NOVA_HOME/demo.json says, as any script would read it. */
export interface Demo {
  readonly apiUrl: string
  readonly apiKey: string
  readonly campaignId: string
  readonly wallets: ReadonlyArray<string>
  readonly horizonUrl: string
  readonly asset: string
}

/** Why these tests cannot run here, or undefined. They find processes as Linux shows them. */
export const whyNot = existsSync("/proc/self/environ")
  ? undefined
  : "processes are found through /proc, which only Linux has"
if (whyNot !== undefined) console.log(`skipped: ${whyNot}`)

/** Nothing of our own surroundings may decide what is started. */
const cleanEnvironment = (): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(NOVA_|STELLAR_|ISSUANCE_|LOCALNET_|DATABASE_URL|DB_|HORIZON_|SOROBAN_|NETWORK_|npm_)/.test(name),
    ),
  )

/** A fresh home with free ports. With the scope every process of it is killed and the folder removed. */
export const makePlace = (extra: Extra = {}): Effect.Effect<Place, never, Scope.Scope> =>
  Effect.gen(function* () {
    const home = join(yield* temporaryDirectory, "home")
    const [apiPort = 0, workerPort = 0, localnetPort = 0] = yield* freePorts(3)
    yield* Effect.addFinalizer(() => killAll(home))
    const environment = {
      ...cleanEnvironment(),
      NOVA_HOME: home,
      PORT: String(apiPort),
      WORKER_PORT: String(workerPort),
      LOCALNET_PORT: String(localnetPort),
      ...extra,
    }
    const command = ["node", join(checkout, "bin", "nova.mjs"), "all"]
    return { home, apiPort, workerPort, localnetPort, environment, command }
  })

/** `npm start` without npm: the launcher, leading a process group as in a terminal. A killed test takes it along. */
export const launch = (place: Place): Effect.Effect<Started, never, Scope.Scope> =>
  start(dieWithParent(["setsid", ...place.command], "TERM"), { env: place.environment, cwd: "/" })

const answers = (url: string) =>
  Effect.promise(async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
      await response.body?.cancel()
      return response.ok
    } catch {
      return false
    }
  })

/** Whether the part answers as it should; the API is ready only with its database. */
export const isPartReady = (place: Place, part: "api" | "issuance-worker" | "localnet") => {
  if (part === "api") return answers(`http://127.0.0.1:${place.apiPort}/health/ready`)
  if (part === "localnet") return answers(`http://127.0.0.1:${place.localnetPort}/`)
  return answers(`http://127.0.0.1:${place.workerPort}/health/ready`)
}

const isReady = (place: Place) =>
  Effect.all([
    isPartReady(place, "api"),
    isPartReady(place, "issuance-worker"),
    isPartReady(place, "localnet"),
  ]).pipe(Effect.map((all) => all.every(Boolean) && existsSync(join(place.home, "demo.json"))))

/** How long a start may take on a machine that is busy with other things, in ms. */
const START_MS_MAX = 60_000

/** The last lines of every program's log. */
export const logsOf = (place: Place): string =>
  ["localnet", "api", "issuance-worker"]
    .map((name) => join(place.home, "logs", `${name}.log`))
    .filter((file) => existsSync(file))
    .map((file) => `--- ${file}\n${readFileSync(file, "utf8").split("\n").slice(-15).join("\n")}`)
    .join("\n")

/** Waits until the API and the worker are ready; a start that ends before that, or takes too long, is a defect. */
export const awaitReady = (place: Place, launched: Started): Effect.Effect<number> =>
  Effect.gen(function* () {
    const startedAtMs = performance.now()
    while (!(yield* isReady(place))) {
      const hasEnded = launched.child.exitCode !== null || launched.child.signalCode !== null
      if (hasEnded || performance.now() - startedAtMs > START_MS_MAX) {
        const why = hasEnded
          ? `ended (${launched.child.exitCode ?? launched.child.signalCode}) before it was ready`
          : "was not ready in time"
        return yield* Effect.die(
          new Error(`The system ${why}:\n${launched.stdout()}\n${launched.stderr()}\n${logsOf(place)}`),
        )
      }
      yield* Effect.sleep(25)
    }
    return performance.now() - startedAtMs
  })

/** Waits until a system whose parts were killed is whole again; dies after a minute. Answers with the time in ms. */
export const awaitHealed = (place: Place): Effect.Effect<number> =>
  Effect.gen(function* () {
    const startedAtMs = performance.now()
    while (!(yield* isReady(place))) {
      if (performance.now() - startedAtMs > START_MS_MAX) {
        return yield* Effect.die(new Error(`The system did not heal:\n${logsOf(place)}`))
      }
      yield* Effect.sleep(25)
    }
    return performance.now() - startedAtMs
  })

/** Launches and waits until it is ready. */
export const startSystem = (place: Place): Effect.Effect<Started, never, Scope.Scope> =>
  Effect.tap(launch(place), (launched) => awaitReady(place, launched))

export const readDemo = (place: Place): Demo =>
  JSON.parse(readFileSync(join(place.home, "demo.json"), "utf8")) as Demo

/** Fails, naming them, when a process of the home is still there or one of its ports is held after `withinMs`. */
export const assertNothingLeft = (place: Place, withinMs = 0): Effect.Effect<void> =>
  Effect.gen(function* () {
    const ports = [place.apiPort, place.workerPort, place.localnetPort]
    for (let waitedMs = 0; ; waitedMs += 50) {
      const processes = processesOf(place.home)
      const held = yield* Effect.filter(ports, (port) => Effect.map(isFree(port), (free) => !free))
      if (processes.length === 0 && held.length === 0) return
      if (waitedMs >= withinMs) {
        return yield* Effect.die(
          new Error(`Left over: ports ${held.join(", ") || "none"}; processes:\n${describe(processes)}`),
        )
      }
      yield* Effect.sleep(50)
    }
  })

/** A killed process counts as ended while its last threads still close what it held, such as its port. */
const KERNEL_TIDIES_MS = 1_000

/** kill -9 of everything, the launcher included; answers with how many processes there were. */
export const killTree = (place: Place): Effect.Effect<number> =>
  Effect.tap(killAll(place.home), () => assertNothingLeft(place, KERNEL_TIDIES_MS))

/** Sends the signal to one part; answers with its pid, or undefined where the part is between two lives. */
export const signalPart = (place: Place, part: Part, name: NodeJS.Signals): number | undefined => {
  const found = partOf(place.home, part)
  if (found !== undefined) signal(found.identity, name)
  return found?.identity.pid
}

/** An orderly stop by the launcher: its exit code or signal, and how long it took in ms. */
export const stopSystem = (
  place: Place,
  launched: Started,
  name: "SIGTERM" | "SIGINT" = "SIGTERM",
): Effect.Effect<{ readonly ending: number | string; readonly tookMs: number }> =>
  Effect.gen(function* () {
    const startedAtMs = performance.now()
    launched.child.kill(name)
    const ending = yield* launched.ended
    const tookMs = performance.now() - startedAtMs
    yield* assertNothingLeft(place)
    return { ending, tookMs }
  })
