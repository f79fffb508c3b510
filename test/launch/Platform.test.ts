import { expect } from "bun:test"
import { createServer } from "node:net"
import { join } from "node:path"
import { Effect } from "effect"
import { setprivPath } from "../../layers/platform/DieWithParent.ts"
import { ensurePortFree } from "../../layers/platform/FreePort.ts"
import { readOwner, releaseOwnership, takeOwnership, writeOwner } from "../../layers/platform/OwnerFile.ts"
import { identityOf, isAlive } from "../../layers/platform/ProcessIdentity.ts"
import { effect, live } from "../support/it.ts"
import { eventually, isRunning, start, temporaryDirectory } from "../support/Processes.ts"

const fixture = join(import.meta.dir, "fixtures", "Main.ts")

const run = (how: string, argument = "", env: Record<string, string> = {}) =>
  start([process.execPath, "--no-env-file", fixture, how, argument], {
    env: { PATH: "/usr/bin:/bin", ...env },
  })

const endOf = (how: string, argument = "", env: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const started = yield* run(how, argument, env)
    return { code: yield* started.ended, stderr: started.stderr() }
  })

live("an orderly stop by SIGTERM or SIGINT is a success", () =>
  Effect.gen(function* () {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const started = yield* run("wait")
      yield* eventually("it waits", () => started.stdout().includes("waiting"))
      started.child.kill(signal)
      expect(yield* started.ended).toBe(0)
      expect(started.stderr()).toBe("")
    }
    expect((yield* endOf("succeed")).code).toBe(0)
  }),
)

live("a wrong setting and a missing one are one sentence with their name", () =>
  Effect.gen(function* () {
    expect(yield* endOf("setting", "", { PORT: "70000" })).toEqual({
      code: 1,
      stderr: "PORT is set wrongly: expected a value between 1 and 65535; .env.example says what it means.\n",
    })
    expect(yield* endOf("setting")).toEqual({
      code: 1,
      stderr: "PORT must be set; .env.example says what it means.\n",
    })
  }),
)

const takenPort = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({ port, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close),
)

live("a port that is taken, and an address of another machine, are one sentence each", () =>
  Effect.gen(function* () {
    const { port } = yield* takenPort
    expect(yield* endOf("listen", String(port))).toEqual({
      code: 1,
      stderr: `Port ${port} is taken by another program: stop it, or set PORT to a free port.\n`,
    })
    // 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    expect(yield* endOf("listenElsewhere")).toEqual({
      code: 1,
      stderr: "192.0.2.1 is not an address of this machine: set HOST to one that is, such as 127.0.0.1.\n",
    })
  }),
)

live("a port is known to be taken before a program is started on it", () =>
  Effect.gen(function* () {
    const { close, port } = yield* takenPort
    const options = { host: "127.0.0.1", port, setting: "LOCALNET_PORT" }
    const failure = yield* Effect.flip(ensurePortFree(options))
    expect(failure.message).toBe(
      `Port ${port} is taken by another program: stop it, or set LOCALNET_PORT to a free port.`,
    )
    close()
    yield* ensurePortFree(options)
    yield* ensurePortFree(options)
  }),
)

live("a program whose parent died before it could look stops at once", () =>
  Effect.gen(function* () {
    const gone = yield* start(["/bin/true"])
    yield* gone.ended
    expect((yield* endOf("wait", "", { NOVA_PARENT_PID: String(gone.pid) })).code).toBe(0)
  }),
)

live("a parent's name that was inherited from further up asks nothing", () =>
  Effect.gen(function* () {
    const other = yield* start(["/bin/sleep", "600"])
    const started = yield* run("wait", "", { NOVA_PARENT_PID: String(other.pid) })
    yield* eventually("it waits", () => started.stdout().includes("waiting"))
    // It looks who its parent is beside saying so, not before.
    yield* Effect.sleep(1_000)
    other.child.kill("SIGKILL")
    yield* other.ended
    yield* Effect.sleep(600)
    expect(isRunning(started.pid)).toBe(true)
  }),
)

live("without setpriv a shell stops the child of a killed parent", () =>
  Effect.gen(function* () {
    const started = yield* run("watched")
    yield* eventually("the child runs", () => started.stdout().includes("child "))
    const child = Number(/child (\d+)/.exec(started.stdout())?.[1])
    yield* Effect.addFinalizer(() => Effect.sync(() => isRunning(child) && process.kill(child, "SIGKILL")))
    expect(isRunning(child)).toBe(true)
    started.child.kill("SIGKILL")
    yield* eventually("the child is gone", () => !isRunning(child))
  }),
)

live("a process is told apart from a later one with its number, and a zombie is none", () =>
  Effect.gen(function* () {
    const sleeper = yield* start(["/bin/sleep", "600"])
    const identity = identityOf(sleeper.pid)
    expect(identity?.pid).toBe(sleeper.pid)
    if (identity === undefined) return
    expect(isAlive(identity)).toBe(true)
    expect(isAlive({ ...identity, startedAt: "another time" })).toBe(false)
    sleeper.child.kill("SIGKILL")
    yield* sleeper.ended
    expect(isAlive(identity)).toBe(false)
    // The shell goes on as `sleep`, which never asks for its child's end, so that stays a zombie.
    const parent = yield* start(["/bin/sh", "-c", "/bin/true & echo $!; exec /bin/sleep 600"])
    yield* eventually("the child is named", () => parent.stdout().includes("\n"))
    yield* eventually("the zombie counts as gone", () => identityOf(Number(parent.stdout())) === undefined)
  }),
)

live("an owner's file is taken from the dead, never from the living", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryDirectory, "owner.json")
    const holder = yield* start(["/bin/sleep", "600"])
    const identity = identityOf(holder.pid)
    if (identity === undefined) throw new Error("the holder is gone")
    writeOwner(path, identity)
    expect(takeOwnership(path)).toEqual(identity)
    releaseOwnership(path)
    expect(readOwner(path)).toEqual(identity)
    holder.child.kill("SIGKILL")
    yield* holder.ended
    expect(takeOwnership(path)).toBeUndefined()
    expect(readOwner(path)?.pid).toBe(process.pid)
    expect(takeOwnership(path)).toBeUndefined()
    releaseOwnership(path)
    expect(readOwner(path)).toBeUndefined()
  }),
)

effect("setpriv is found where Linux has it", () =>
  Effect.sync(() => {
    const known = Bun.which("setpriv", { PATH: "/usr/bin:/bin:/usr/sbin:/usr/local/bin" })
    expect(setprivPath() !== undefined).toBe(process.platform === "linux" && known !== null)
  }),
)
