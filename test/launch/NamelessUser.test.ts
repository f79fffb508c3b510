/** PostgreSQL for a user number that has no name, as container platforms give them. */
import { describe, expect } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { runningServer } from "../../layers/db/embedded-postgres/LeftOver.ts"
import { setprivPath } from "../../layers/platform/DieWithParent.ts"
import { live } from "../support/it.ts"
import { bunAsOrdinaryUser, whyNot } from "../support/OrdinaryUser.ts"
import { eventually, isRunning, start, temporaryDirectory } from "../support/Processes.ts"

const fixture = join(import.meta.dir, "fixtures", "TinyPostgres.ts")

/** A number that no system hands out by default, so it has no entry in /etc/passwd. */
const namelessUid = 12345

const asNameless = (command: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...[setprivPath() ?? "setpriv", `--reuid=${namelessUid}`, `--regid=${namelessUid}`, "--clear-groups", "--"],
  ...command,
]

const succeeds = ([program = "", ...args]: ReadonlyArray<string>): boolean =>
  spawnSync(program, args, { stdio: "ignore", cwd: "/" }).status === 0

/** The fixture on home/pg, as the user without a name; `around` is what root runs it in. */
const startNameless = (around: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const folder = yield* temporaryDirectory
    chmodSync(folder, 0o755)
    const home = join(folder, "home")
    mkdirSync(home)
    chownSync(home, namelessUid, namelessUid)
    const asNobody = bunAsOrdinaryUser(folder, fixture, [join(home, "pg")])
    const command = [...around, ...asNameless(asNobody.slice(asNobody.indexOf("--") + 1))]
    const env = { ...process.env, HOME: home }
    return {
      directory: join(home, "pg"),
      parent: yield* start(command, { cwd: folder, env }),
      again: start(command, { cwd: folder, env }),
    }
  })

/** A mount namespace in which there is no unshare: an older util-linux, or a container that refuses it. */
const withoutUnshare = ["unshare", "--mount", "--", "/bin/sh", "-c"].concat(
  'mount --bind /dev/null "$(command -v unshare)" && exec "$@"',
  "sh",
)

const whyNotNameless =
  whyNot ?? (succeeds(["id", "-un", String(namelessUid)]) ? `${namelessUid} has a name here` : undefined)
const whyNotLent =
  whyNotNameless ??
  (succeeds(asNameless(["unshare", "--user", "--map-user=65534", "--map-group=65534", "--", "id", "-un"]))
    ? undefined
    : "user namespaces are refused")
const whyNotRefused =
  whyNotNameless ?? (succeeds([...withoutUnshare, "true"]) ? undefined : "mounts are refused")

if (whyNotLent !== undefined) console.log(`Skipped: a user without a name, because ${whyNotLent}`)
if (whyNotRefused !== undefined) console.log(`Skipped: a user that gets no name, because ${whyNotRefused}`)

describe.if(whyNotLent === undefined)("as a user that /etc/passwd does not list", () => {
  live("starts, owns all it made, and a killed parent leaves nothing", () =>
    Effect.gen(function* () {
      const { directory, parent, again } = yield* startNameless()
      yield* eventually("the server is up", () => parent.stdout().includes("up "))
      const [, pid, uid] = /up (\d+) (\d+)/.exec(parent.stdout()) ?? []
      expect(Number(uid)).toBe(namelessUid)
      expect(runningServer(join(directory, "data", "cluster"))?.pid).toBe(Number(pid))
      const cluster = statSync(join(directory, "data", "cluster"))
      expect([cluster.uid, cluster.gid, cluster.mode & 0o777]).toEqual([namelessUid, namelessUid, 0o700])
      expect(statSync(join(directory, "run", ".s.PGSQL.5432")).uid).toBe(namelessUid)
      parent.child.kill("SIGKILL")
      yield* eventually("the server is gone", () => !isRunning(Number(pid)))
      const next = yield* again
      yield* eventually("the server is up again", () => next.stdout().includes("up "))
      next.child.kill("SIGTERM")
      expect(yield* next.ended).toBe(0)
    }),
  )
})

describe.if(whyNotRefused === undefined)("as a user that /etc/passwd does not list", () => {
  live("gets one sentence with the way out where no name can be lent", () =>
    Effect.gen(function* () {
      const { directory, parent } = yield* startNameless(withoutUnshare)
      expect(yield* parent.ended).toBe(1)
      expect(parent.stderr()).toBe(
        `Making the database in ${join(directory, "data")} failed: this user's number has no entry in /etc/passwd, which PostgreSQL needs, and no user namespace can lend it one here (unshare of util-linux 2.38, unprivileged); start as a user that has an entry, allow such namespaces, or set DATABASE_URL to a server of yours.\n`,
      )
    }),
  )
})
