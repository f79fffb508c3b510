/** What a start that cannot be says: one sentence with the way out, a non-zero exit code, and nothing left running. */
import { describe, expect } from "bun:test"
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { dirname, join } from "node:path"
import { Effect, type Scope } from "effect"
import { live } from "../support/it.ts"
import { bunAsOrdinaryUser, isRoot, whyNot as whyNoOrdinaryUser } from "../support/OrdinaryUser.ts"
import { checkout, type Started, start } from "../support/Processes.ts"
import {
  assertNothingLeft,
  launch,
  makePlace,
  type Place,
  readDemo,
  startSystem,
  stopSystem,
  whyNot,
} from "./support/NovaSystem.ts"

/** What stderr says beside the progress of the start, which is indented. */
const sentencesOf = (launched: Started): ReadonlyArray<string> =>
  launched
    .stderr()
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("  "))

/** The start must end by itself, with one sentence that matches, and leave no process behind. */
const expectRefusal = (launched: Started, sentence: RegExp) =>
  Effect.gen(function* () {
    const code = yield* launched.ended.pipe(
      Effect.timeoutOrElse({ duration: "60 seconds", orElse: () => Effect.succeed("it never ended") }),
    )
    expect({ code, said: sentencesOf(launched) }).toEqual({
      code: 1,
      said: [expect.stringMatching(sentence)],
    })
  })

const occupy = (port: number): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer()
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void))),
  )

/** A start that comes up and stops as it should: what was refused before has spoilt nothing. */
const expectGoodStart = (place: Place) =>
  Effect.gen(function* () {
    const launched = yield* startSystem(place)
    expect(readDemo(place).wallets.length).toBe(3)
    expect((yield* stopSystem(place, launched)).ending).toBe(0)
  })

/** Each of the three ports in turn, on one home; in the end the refused starts have spoilt nothing. */
const takenPorts = Effect.gen(function* () {
  const place = yield* makePlace()
  for (const [setting, port] of [
    ["PORT", place.apiPort],
    ["WORKER_PORT", place.workerPort],
    ["LOCALNET_PORT", place.localnetPort],
  ] as const) {
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* occupy(port)
        yield* expectRefusal(
          yield* launch(place),
          new RegExp(`^Port ${port} is taken.*set ${setting} to a free port`),
        )
      }),
    )
    yield* assertNothingLeft(place)
  }
  yield* expectGoodStart(place)
})

/** Named before anything starts: not even the home is made. */
const wrongSetting = (name: string, value: string) =>
  Effect.gen(function* () {
    const place = yield* makePlace({ [name]: value })
    yield* expectRefusal(yield* launch(place), new RegExp(`^${name} is set wrongly: expected `))
    yield* assertNothingLeft(place)
    expect(existsSync(place.home)).toBe(false)
  })

const wrongSettings: ReadonlyArray<readonly [string, string]> = [
  ["PORT", "abc"],
  ["PORT", "70000"],
  ["WORKER_PORT", "-1"],
  ["LOCALNET_PORT", "1.5"],
  ["NOVA_CHANNELS", "0"],
  ["DB_POOL_MAX", "0"],
  ["ISSUANCE_POLL_INTERVAL_MS", "0"],
  ["STELLAR_BASE_FEE_STROOPS", "99"],
  ["STELLAR_NETWORK", "moon"],
  ["NOVA_ASSET_CODE", "MORETHANTWELVE"],
  ["LOG_FORMAT", "xml"],
]

/** A home that the starting user may not write: root writes everywhere, so an ordinary user starts it. */
const unwritableHome = Effect.gen(function* () {
  const place = yield* makePlace()
  mkdirSync(place.home)
  chmodSync(place.home, 0o555)
  const asOther = bunAsOrdinaryUser(dirname(place.home), join(checkout, "src", "main.ts"), ["all"])
  const launched = yield* isRoot
    ? start(asOther, { env: { ...place.environment, HOME: dirname(place.home) }, cwd: "/" })
    : launch(place)
  yield* expectRefusal(launched, /\/home.* cannot be written .*set NOVA_HOME to a folder of yours/)
  yield* assertNothingLeft(place)
})

const homeIsAFile = Effect.gen(function* () {
  const place = yield* makePlace()
  writeFileSync(place.home, "not a folder")
  yield* expectRefusal(yield* launch(place), /\/home cannot be written .*set NOVA_HOME to a folder of yours/)
  yield* assertNothingLeft(place)
})

const secondStart = Effect.gen(function* () {
  const place = yield* makePlace()
  const first = yield* startSystem(place)
  const second = yield* launch(place)
  yield* expectRefusal(second, /^Nova Rewards already runs on .*\/home \(process \d+\): stop that one first/)
  const demo = readDemo(place)
  const health = yield* Effect.promise(() => fetch(`${demo.apiUrl}/health/ready`))
  expect(health.status).toBe(200)
  expect((yield* stopSystem(place, first)).ending).toBe(0)
})

describe.skipIf(whyNot !== undefined)("a start that cannot be", () => {
  const options = { timeout: 120_000 }
  live("a port is taken: PORT, WORKER_PORT, LOCALNET_PORT", () => takenPorts, options)
  for (const [name, value] of wrongSettings)
    live(`${name}=${value}`, () => wrongSetting(name, value), options)
  live("the home is a file", () => homeIsAFile, options)
  live("the home is in use: the second start is refused, the first goes on", () => secondStart, options)

  const cannotSwitch = isRoot ? whyNoOrdinaryUser : undefined
  if (cannotSwitch !== undefined) console.log(`skipped: ${cannotSwitch}`)
  describe.skipIf(cannotSwitch !== undefined)("by a user without rights", () => {
    live("the home cannot be written", () => unwritableHome, options)
  })
})
