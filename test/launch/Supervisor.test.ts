import { expect } from "bun:test"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { readOwner, writeOwner } from "../../layers/platform/OwnerFile.ts"
import { identityOf } from "../../layers/platform/ProcessIdentity.ts"
import { makeSupervisor } from "../../layers/supervisor/Supervisor.ts"
import { live } from "../support/it.ts"
import { checkout, eventually, isRunning, start, temporaryDirectory } from "../support/Processes.ts"
import { readyPid, tinyChild } from "./fixtures/TinyChild.ts"

const fixture = join(import.meta.dir, "fixtures", "TinySupervisor.ts")
const names = ["a", "b", "c"]

const startTree = (directory: string) =>
  Effect.gen(function* () {
    const tree = yield* start([process.execPath, "--no-env-file", fixture, directory])
    yield* eventually("the tree is up", () => tree.stdout().includes("up "))
    return { tree, pids: names.map((name) => readyPid(directory, name) ?? 0) }
  })

const orderIn = (directory: string) => readFileSync(join(directory, "order"), "utf8").trim().split("\n")

live("starts children in order, stops them in reverse order, and leaves with 0 on SIGTERM", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const { tree, pids } = yield* startTree(directory)
    tree.child.kill("SIGTERM")
    expect(yield* tree.ended).toBe(0)
    expect(orderIn(directory)).toEqual([
      ...["a started", "b started", "c started"],
      ...["c stopped", "b stopped", "a stopped"],
    ])
    expect(pids.filter(isRunning)).toEqual([])
    expect(existsSync(join(directory, "home", "supervisor.json"))).toBe(false)
    expect(existsSync(join(directory, "home", "run", "a.json"))).toBe(false)
  }),
)

live("starts a killed child again, and leaves the others alone", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const supervisor = yield* makeSupervisor({ home: directory, restartWaitMs: 10 })
    const a = yield* supervisor.supervise(tinyChild("a", directory))
    const b = yield* supervisor.supervise(tinyChild("b", directory))
    const pidOfA = (yield* a.pid) ?? 0
    const pidOfB = yield* b.pid
    for (let kills = 1; kills <= 3; kills++) {
      const victim = readyPid(directory, "a") ?? 0
      process.kill(victim, "SIGKILL")
      yield* eventually("another a is ready", () => ![undefined, victim].includes(readyPid(directory, "a")))
      expect(isRunning(victim)).toBe(false)
    }
    yield* Effect.repeat(Effect.sleep(10), { until: () => Effect.map(a.pid, (pid) => pid !== undefined) })
    expect(yield* a.restarts).toBe(3)
    expect(yield* a.pid).not.toBe(pidOfA)
    expect(yield* b.pid).toBe(pidOfB)
    expect(yield* b.restarts).toBe(0)
  }),
)

live("a killed supervisor takes its children along", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const { tree, pids } = yield* startTree(directory)
    expect(pids.map(isRunning)).toEqual([true, true, true])
    tree.child.kill("SIGKILL")
    yield* eventually("all children are gone", () => !pids.some(isRunning))
  }),
)

live("the next start takes over the home of a killed supervisor", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const first = yield* startTree(directory)
    first.tree.child.kill("SIGKILL")
    const second = yield* startTree(directory)
    expect(second.pids.map(isRunning)).toEqual([true, true, true])
    expect(first.pids.filter((pid) => second.pids.includes(pid))).toEqual([])
    expect(readOwner(join(directory, "home", "supervisor.json"))?.pid).toBe(second.tree.pid)
  }),
)

live("a second supervisor on the same home says so in one sentence and leaves with 1", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const { tree, pids } = yield* startTree(directory)
    const second = yield* start([process.execPath, "--no-env-file", fixture, directory])
    expect(yield* second.ended).toBe(1)
    expect(second.stderr()).toBe(
      `Nova Rewards already runs on ${join(directory, "home")} (process ${tree.pid}): stop that one first, or set NOVA_HOME to another folder.\n`,
    )
    expect(pids.map(isRunning)).toEqual([true, true, true])
  }),
)

live("of several supervisors that start at once on a dead one's home, one wins", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    mkdirSync(join(directory, "home"))
    writeOwner(join(directory, "home", "supervisor.json"), { pid: 1, startedAt: "long ago" })
    const started = yield* Effect.forEach([1, 2, 3], () =>
      start([process.execPath, "--no-env-file", fixture, directory]),
    )
    yield* eventually("one is up and the others are gone", () => {
      const losers = started.filter(({ child }) => child.exitCode === 1)
      return losers.length === 2 && started.filter(({ stdout }) => stdout().includes("up ")).length === 1
    })
  }),
)

live("stops left-over children by their pid files, but no other process with such a pid", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    mkdirSync(join(directory, "run"))
    const leftOver = yield* start(["/bin/sleep", "600"])
    const stranger = yield* start(["/bin/sleep", "600"])
    const identity = identityOf(leftOver.pid)
    expect(identity).toBeDefined()
    if (identity !== undefined) writeOwner(join(directory, "run", "gone.json"), identity)
    writeOwner(join(directory, "run", "reused.json"), { pid: stranger.pid, startedAt: "another time" })
    yield* makeSupervisor({ home: directory })
    expect(isRunning(leftOver.pid)).toBe(false)
    expect(isRunning(stranger.pid)).toBe(true)
    expect(existsSync(join(directory, "run", "gone.json"))).toBe(false)
    expect(existsSync(join(directory, "run", "reused.json"))).toBe(false)
  }),
)

live("a child that ignores SIGTERM is killed after its time", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const pid = yield* Effect.scoped(
      Effect.gen(function* () {
        const supervisor = yield* makeSupervisor({ home: directory })
        const stubborn = yield* supervisor.supervise({
          ...tinyChild("stubborn", directory, "stubborn"),
          stopSteps: [
            { signal: "SIGTERM", waitMs: 100 },
            { signal: "SIGKILL", waitMs: 2_000 },
          ],
        })
        return (yield* stubborn.pid) ?? 0
      }),
    )
    expect(pid).toBeGreaterThan(0)
    expect(isRunning(pid)).toBe(false)
  }),
)

live("a child that cannot start fails the start with its own sentence, and is not tried again", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const supervisor = yield* makeSupervisor({ home: directory, restartWaitMs: 1 })
    const failure = yield* Effect.flip(supervisor.supervise(tinyChild("a", directory, "foreseen")))
    expect(failure.message).toBe("a is set up wrongly: turn the knob.")
    yield* Effect.sleep(300)
    expect(readFileSync(join(directory, "a.log"), "utf8")).toBe("a is set up wrongly: turn the knob.\n")
  }),
)

live("a fault while a child is started is a failed start, not a silent one", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const supervisor = yield* makeSupervisor({ home: directory })
    const prepare = Effect.sync(() => {
      throw new Error("a bug")
    })
    const failure = yield* Effect.flip(supervisor.supervise({ ...tinyChild("a", directory), prepare }))
    expect(failure.message).toBe("a could not be run: a bug.")
  }),
)

live("a foreseen failure prints its sentence alone, a defect its stack; both leave with 1", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const tiny = join(import.meta.dir, "fixtures", "TinyProgram.ts")
    const foreseen = yield* start([process.execPath, tiny, "a", directory, "foreseen"])
    expect(yield* foreseen.ended).toBe(1)
    expect(foreseen.stderr()).toBe("a is set up wrongly: turn the knob.\n")
    const defect = yield* start([process.execPath, tiny, "a", directory, "defect"])
    expect(yield* defect.ended).toBe(1)
    expect(defect.stderr()).toMatch(/^Error: the machine is on fire\n\s+at .*TinyProgram\.ts/)
  }),
)

live("a child that dies of a missing program is reported by name", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const supervisor = yield* makeSupervisor({ home: directory })
    const spec = { ...tinyChild("a", directory), command: ["/nonexistent/program"] }
    const failure = yield* Effect.flip(supervisor.supervise(spec))
    expect(failure.message).toMatch(/\/nonexistent\/program|^a (could not be started|ended with)/)
  }),
)

live("a launcher that is killed takes the whole tree along, in an orderly way", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const command = [
      "node",
      join(checkout, "bin", "bun.mjs"),
      "test/launch/fixtures/TinySupervisor.ts",
      directory,
    ]
    const launcher = yield* start(command)
    yield* eventually("the tree is up", () => launcher.stdout().includes("up "))
    const supervisorPid = Number(/up (\d+)/.exec(launcher.stdout())?.[1])
    launcher.child.kill("SIGKILL")
    yield* eventually("the supervisor is gone", () => !isRunning(supervisorPid))
    expect(orderIn(directory).slice(-3)).toEqual(["c stopped", "b stopped", "a stopped"])
  }),
)
