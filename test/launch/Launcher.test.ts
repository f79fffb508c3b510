/** The launcher in small checkouts of its own: plain Node, no network, nothing of this checkout but bin/. */
import { describe, expect } from "bun:test"
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { live } from "../support/it.ts"
import { isRoot, ordinaryUser, whyNot } from "../support/OrdinaryUser.ts"
import { checkout, eventually, start, temporaryDirectory } from "../support/Processes.ts"

const main = `
console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), fromDotEnv: process.env.FROM_DOT_ENV ?? null }))
if (process.argv[2] === "fail") process.exit(7)
if (process.argv[2] === "die") process.kill(process.pid, "SIGKILL")
if (process.argv[2] === "wait") {
  process.on("SIGTERM", () => process.exit(9))
  setInterval(() => {}, 1000)
}
`

/** bun refuses to be held to a lockfile without any package, so there is one, in the checkout itself. */
const lockfile = `{
  "lockfileVersion": 2,
  "configVersion": 1,
  "workspaces": { "": { "name": "small", "dependencies": { "local": "file:./local" } } },
  "packages": { "local": ["local@file:local", {}] }
}
`

/** A checkout with the real launcher and a program that says how it was started. */
const makeCheckout = Effect.gen(function* () {
  const folder = yield* temporaryDirectory
  chmodSync(folder, 0o755)
  const root = join(folder, "a checkout")
  mkdirSync(join(root, "src"), { recursive: true })
  cpSync(join(checkout, "bin"), join(root, "bin"), { recursive: true })
  cpSync(join(checkout, ".bun-version"), join(root, ".bun-version"))
  writeFileSync(join(root, "bunfig.toml"), "telemetry = false\n")
  mkdirSync(join(root, "local"))
  writeFileSync(join(root, "local", "package.json"), JSON.stringify({ name: "local", version: "1.0.0" }))
  writeFileSync(
    join(root, "package.json"),
    JSON.stringify({ name: "small", dependencies: { local: "file:./local" } }),
  )
  writeFileSync(join(root, "bun.lock"), lockfile)
  writeFileSync(join(root, ".env"), "FROM_DOT_ENV=yes\n")
  writeFileSync(join(root, "src", "main.ts"), main)
  mkdirSync(join(folder, "programs"))
  symlinkSync(process.execPath, join(folder, "programs", "bun"))
  return { folder, root, home: join(folder, "home") }
})

interface Checkout {
  readonly folder: string
  readonly root: string
  readonly home: string
}

const node = Bun.which("node") ?? "node"
const deadRegistry = { npm_config_registry: "http://127.0.0.1:9", npm_config_fetch_retries: "0" }

/** Nothing of our environment, an empty home, the pinned bun on PATH and no registry. */
const environmentOf = ({ folder, home }: Checkout) => ({
  PATH: `${join(folder, "programs")}:/usr/bin:/bin`,
  HOME: home,
  ...deadRegistry,
})

const nova = (small: Checkout, args: ReadonlyArray<string>, more: Record<string, string> = {}) =>
  start([node, join(small.root, "bin", "nova.mjs"), ...args], {
    cwd: small.folder,
    env: { ...environmentOf(small), ...more },
  })

const said = (stdout: string) => JSON.parse(stdout) as unknown

live("runs the program with its arguments in the current directory, and leaves with its code", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const args = ["fail", "two words", '"quoted"', "", "--flag=$HOME"]
    const run = yield* nova(small, args)
    expect(yield* run.ended).toBe(7)
    expect(said(run.stdout())).toEqual({ args, cwd: small.folder, fromDotEnv: "yes" })
  }),
)

live("a script of the repository runs in the checkout, without its .env", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const command = [node, join(small.root, "bin", "bun.mjs"), "src/main.ts", "a"]
    const run = yield* start(command, { cwd: "/", env: environmentOf(small) })
    expect(yield* run.ended).toBe(0)
    expect(said(run.stdout())).toEqual({ args: ["a"], cwd: small.root, fromDotEnv: null })
  }),
)

live("passes SIGTERM on, and reports a program that was killed as a shell does", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const waiting = yield* nova(small, ["wait"])
    yield* eventually("the program runs", () => waiting.stdout().includes("wait"))
    waiting.child.kill("SIGTERM")
    expect(yield* waiting.ended).toBe(9)
    const killed = yield* nova(small, ["die"])
    expect(yield* killed.ended).toBe(128 + 9)
  }),
)

live("installs once, again when the lockfile changed, and then no more", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const wordsOfStart = Effect.gen(function* () {
      const run = yield* nova(small, [])
      expect(yield* run.ended).toBe(0)
      return run.stderr()
    })
    expect(yield* wordsOfStart).toBe("Installing packages (first start only) ...\n")
    expect(yield* wordsOfStart).toBe("")
    const lock = join(small.root, "bun.lock")
    writeFileSync(lock, `${readFileSync(lock, "utf8")}\n`)
    expect(yield* wordsOfStart).toBe("Installing changed packages ...\n")
    expect(yield* wordsOfStart).toBe("")
  }),
)

live("of several first starts at once, one installs and all run", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const runs = yield* Effect.forEach([1, 2, 3, 4], () => nova(small, []))
    expect(yield* Effect.forEach(runs, ({ ended }) => ended)).toEqual([0, 0, 0, 0])
    expect(runs.map(({ stderr }) => stderr()).join("")).toBe("Installing packages (first start only) ...\n")
    expect(existsSync(join(small.root, "node_modules", ".nova-install-lock"))).toBe(false)
  }),
)

live("breaks the lock of a start that was killed", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    mkdirSync(join(small.root, "node_modules"))
    const gone = yield* start(["/bin/true"])
    yield* gone.ended
    writeFileSync(join(small.root, "node_modules", ".nova-install-lock"), String(gone.pid))
    const run = yield* nova(small, [])
    expect(yield* run.ended).toBe(0)
  }),
)

live("an empty HOME is no home: nothing is written into the current directory", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const cache = join(small.folder, "cache")
    const run = yield* nova(small, [], { HOME: "", XDG_CACHE_HOME: cache })
    expect(yield* run.ended).toBe(0)
    expect(existsSync(join(small.folder, ".cache"))).toBe(false)
    expect(existsSync(join(small.folder, "~"))).toBe(false)
    expect(existsSync(join(cache, "nova-rewards"))).toBe(true)
  }),
)

live("remembers where bun is, and looks again when it is gone", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    yield* (yield* nova(small, [])).ended
    const version = readFileSync(join(small.root, ".bun-version"), "utf8").trim()
    const memory = join(
      small.home,
      ".cache",
      "nova-rewards",
      `bun-${version}-${process.platform}-${process.arch}`,
    )
    expect(readFileSync(memory, "utf8")).toBe(`${process.execPath}\n`)
    const withoutBun = yield* nova(small, [], { PATH: "/usr/bin:/bin" })
    expect(yield* withoutBun.ended).toBe(0)
    writeFileSync(memory, "/nonexistent/bun\n")
    const again = yield* nova(small, [])
    expect(yield* again.ended).toBe(0)
    expect(readFileSync(memory, "utf8")).toBe(`${process.execPath}\n`)
  }),
)

live("without bun and without a registry it says so in one sentence", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const run = yield* nova(small, [], { PATH: "/usr/bin:/bin" })
    expect(yield* run.ended).toBe(1)
    const version = readFileSync(join(small.root, ".bun-version"), "utf8").trim()
    expect(run.stderr()).toBe(
      `Fetching bun ${version} (first start only) ...\nNova Rewards runs on bun ${version}, which could not be fetched: no npm registry answered; check the network, the proxy and \`npm config get registry\`; or put bun ${version} on PATH and start again.\n`,
    )
  }),
)

live("packages that cannot be fetched are one sentence", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    cpSync(join(checkout, "package.json"), join(small.root, "package.json"))
    cpSync(join(checkout, "bun.lock"), join(small.root, "bun.lock"))
    const run = yield* nova(small, [])
    expect(yield* run.ended).toBe(1)
    expect(run.stderr()).toBe(
      `Installing packages (first start only) ...\nThe packages could not be installed into ${join(small.root, "node_modules")}: no npm registry answered; check the network, the proxy and \`npm config get registry\`.\n`,
    )
  }),
)

live("a lockfile that does not belong to package.json is one sentence", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const manifest = { name: "small", dependencies: { local: "file:./local", other: "file:./local" } }
    writeFileSync(join(small.root, "package.json"), JSON.stringify(manifest))
    const run = yield* nova(small, [])
    expect(yield* run.ended).toBe(1)
    expect(run.stderr()).toContain(
      "bun.lock does not belong to package.json; restore both from version control",
    )
  }),
)

/** Starts the launcher in a Node that takes itself for another. */
const pretending = (small: Checkout, name: "versions" | "platform", value: unknown) => {
  const code = `Object.defineProperty(process, ${JSON.stringify(name)}, { value: ${JSON.stringify(value)} })`
  const command = [node, "--import", `data:text/javascript,${encodeURIComponent(code)}`]
  return start([...command, join(small.root, "bin", "nova.mjs")], { env: environmentOf(small) })
}

live("a Node that is too old and a system that is not supported are one sentence each", () =>
  Effect.gen(function* () {
    const small = yield* makeCheckout
    const old = yield* pretending(small, "versions", { node: "18.20.4" })
    expect(yield* old.ended).toBe(1)
    expect(old.stderr()).toBe(
      "Nova Rewards needs Node 20 or newer and this is Node 18.20.4: install a newer one from https://nodejs.org and start again.\n",
    )
    const windows = yield* pretending(small, "platform", "win32")
    expect(yield* windows.ended).toBe(1)
    expect(windows.stderr()).toBe(
      "Nova Rewards runs on Linux and macOS, not on win32: on Windows use WSL 2.\n",
    )
  }),
)

if (whyNot !== undefined) console.log(`Skipped: a checkout of somebody else, because ${whyNot}`)

describe.if(whyNot === undefined && isRoot)("in a checkout that belongs to somebody else", () => {
  const asUser = (small: Checkout) => {
    const user = [
      "setpriv",
      `--reuid=${ordinaryUser.uid}`,
      `--regid=${ordinaryUser.gid}`,
      "--clear-groups",
      "--",
    ]
    cpSync(process.execPath, join(small.folder, "programs", "bun.exe"))
    const path = `${join(small.folder, "programs")}:/usr/bin:/bin`
    const env = {
      ...environmentOf(small),
      PATH: path,
      HOME: "/nonexistent",
      TMPDIR: join(small.folder, "tmp"),
    }
    mkdirSync(join(small.folder, "tmp"), { recursive: true })
    chmodSync(join(small.folder, "tmp"), 0o777)
    return start([...user, node, join(small.root, "bin", "nova.mjs")], { cwd: small.folder, env })
  }

  live("complete packages are used as they are, without a stamp and without a home", () =>
    Effect.gen(function* () {
      const small = yield* makeCheckout
      writeFileSync(
        join(small.root, "package.json"),
        JSON.stringify({ name: "small", dependencies: { first: "1.0.0" } }),
      )
      mkdirSync(join(small.root, "node_modules", "first"), { recursive: true })
      writeFileSync(
        join(small.root, "node_modules", "first", "package.json"),
        JSON.stringify({ version: "1.0.0" }),
      )
      const run = yield* asUser(small)
      expect(yield* run.ended).toBe(0)
      expect(run.stderr()).toBe("")
    }),
  )

  live("missing packages are one sentence with the way out", () =>
    Effect.gen(function* () {
      const small = yield* makeCheckout
      writeFileSync(
        join(small.root, "package.json"),
        JSON.stringify({ name: "small", dependencies: { first: "1.0.0", second: "2.0.0" } }),
      )
      mkdirSync(join(small.root, "node_modules"))
      const run = yield* asUser(small)
      expect(yield* run.ended).toBe(1)
      expect(run.stderr()).toBe(
        `${join(small.root, "node_modules")} lacks first and 1 more packages, and this user may not write there: run \`npm start\` once as its owner, or copy the checkout to a folder of yours.\n`,
      )
    }),
  )
})
