import { describe, expect } from "bun:test"
import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Redacted, Scope } from "effect"
import { SqlClient } from "effect/sql"
import {
  type EmbeddedPostgresConnection,
  type PreparedPostgres,
  prepareEmbeddedPostgres,
  startEmbeddedPostgres,
} from "../../layers/db/EmbeddedPostgres.ts"
import { runningServer } from "../../layers/db/embedded-postgres/LeftOver.ts"
import { startThrowawayPostgres } from "../../layers/db/embedded-postgres/Throwaway.ts"
import { setprivPath } from "../../layers/platform/DieWithParent.ts"
import { makeSupervisor } from "../../layers/supervisor/Supervisor.ts"
import { live } from "../support/it.ts"
import { bunAsOrdinaryUser, isRoot, makeOwnFolder, ordinaryUser, whyNot } from "../support/OrdinaryUser.ts"
import { eventually, isRunning, start, temporaryDirectory } from "../support/Processes.ts"

const fixture = join(import.meta.dir, "fixtures", "TinyPostgres.ts")

const optionsFor = (directory: string) => ({ directory, database: "nova", durable: true })

const withSql = <A, E>(
  connection: EmbeddedPostgresConnection,
  work: Effect.Effect<A, E, SqlClient.SqlClient>,
) =>
  work.pipe(
    Effect.provide(Layer.orDie(PgClient.layer({ url: Redacted.make(connection.url), maxConnections: 1 })), {
      local: true,
    }),
  )

const writeNote = (text: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE IF NOT EXISTS notes (text text)`
    yield* sql`INSERT INTO notes VALUES (${text})`
  })

const readNotes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ text: string }>`SELECT text FROM notes ORDER BY text`
  return rows.map(({ text }) => text)
})

const setting = (name: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ value: string }>`SELECT current_setting(${name}) AS value`
    return row?.value
  })

const serverPid = (postgres: PreparedPostgres): number => runningServer(postgres.cluster)?.pid ?? 0

/** A server that nothing stops: what is left where the kernel told it nothing. */
const startOrphan = (postgres: PreparedPostgres) =>
  Effect.gen(function* () {
    const { command, runAs } = postgres.child
    const user =
      runAs === undefined ? [] : [setprivPath() ?? "", `--reuid=${runAs.uid}`, `--regid=${runAs.gid}`]
    const [program = "", ...args] = runAs === undefined ? command : [...user, "--clear-groups", ...command]
    const child = spawn(program, args, { cwd: "/", detached: true, stdio: "ignore" })
    const pid = child.pid ?? 0
    yield* Effect.addFinalizer(() => Effect.sync(() => isRunning(pid) && process.kill(pid, "SIGQUIT")))
    while (!(yield* postgres.child.isReady(pid))) yield* Effect.sleep(20)
    return pid
  })

live("keeps its data between starts, and syncs it to the disk", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, 'a folder\'s "name" with spaces')
    const first = yield* Effect.scoped(
      Effect.gen(function* () {
        const postgres = yield* startEmbeddedPostgres(optionsFor(directory))
        yield* withSql(postgres.connection, writeNote("kept"))
        return serverPid(postgres)
      }),
    )
    expect(first).toBeGreaterThan(0)
    expect(isRunning(first)).toBe(false)
    const postgres = yield* startEmbeddedPostgres(optionsFor(directory))
    expect(yield* withSql(postgres.connection, readNotes)).toEqual(["kept"])
    expect(yield* withSql(postgres.connection, setting("fsync"))).toBe("on")
    expect(yield* withSql(postgres.connection, setting("synchronous_commit"))).toBe("on")
    expect(yield* withSql(postgres.connection, setting("listen_addresses"))).toBe("")
    expect(yield* withSql(postgres.connection, setting("TimeZone"))).toBe("UTC")
  }),
)

live("stops in time although a session is open", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const address = yield* Effect.scoped(
      Effect.gen(function* () {
        const postgres = yield* startEmbeddedPostgres(optionsFor(join(directory, "pg")))
        const session = yield* Effect.forkDetach(
          withSql(
            postgres.connection,
            Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT pg_sleep(600)`),
          ).pipe(Effect.exit),
        )
        yield* Effect.sleep(200)
        return { pid: serverPid(postgres), session }
      }),
    )
    expect(isRunning(address.pid)).toBe(false)
  }),
)

live("a throwaway cluster does not sync, and leaves nothing", () =>
  Effect.gen(function* () {
    const directory = yield* Effect.scoped(
      Effect.gen(function* () {
        const postgres = yield* startThrowawayPostgres("scratch")
        expect(yield* withSql(postgres.connection, setting("fsync"))).toBe("off")
        expect(postgres.note).toBeUndefined()
        return dirname(postgres.child.logFile)
      }),
    )
    expect(existsSync(directory)).toBe(false)
  }),
)

live("a killed parent leaves no server behind, and loses no data", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, "pg")
    const parent = yield* start([process.execPath, "--no-env-file", fixture, directory])
    yield* eventually("the server is up", () => parent.stdout().includes("up "))
    const pid = Number(/up (\d+)/.exec(parent.stdout())?.[1])
    expect(isRunning(pid)).toBe(true)
    parent.child.kill("SIGKILL")
    yield* eventually("the server is gone", () => !isRunning(pid))
    yield* startEmbeddedPostgres(optionsFor(directory))
  }),
)

live("a left-over server of the same directory is stopped at the next start", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, "pg")
    const orphan = yield* Effect.scoped(
      Effect.gen(function* () {
        const postgres = yield* prepareEmbeddedPostgres(optionsFor(directory))
        return {
          pid: yield* Effect.provideService(startOrphan(postgres), Scope.Scope, yield* Scope.make()),
          postgres,
        }
      }),
    )
    yield* withSql(orphan.postgres.connection, writeNote("of the left-over"))
    const next = yield* startEmbeddedPostgres(optionsFor(directory))
    expect(isRunning(orphan.pid)).toBe(false)
    expect(yield* withSql(next.connection, readNotes)).toEqual(["of the left-over"])
  }),
)

live("a pid file that names another program's process harms neither", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, "pg")
    const stranger = yield* start(["/bin/sleep", "600"])
    const cluster = yield* Effect.scoped(
      Effect.map(prepareEmbeddedPostgres(optionsFor(directory)), (postgres) => postgres.cluster),
    )
    writeFileSync(join(cluster, "postmaster.pid"), `${stranger.pid}\n${cluster}\n`)
    const postgres = yield* startEmbeddedPostgres(optionsFor(directory))
    expect(serverPid(postgres)).not.toBe(stranger.pid)
    expect(isRunning(stranger.pid)).toBe(true)
  }),
)

live("a directory that a living process uses is refused in one sentence, and left alone", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, "pg")
    const holder = yield* start([process.execPath, "--no-env-file", fixture, directory])
    yield* eventually("the server is up", () => holder.stdout().includes("up "))
    const pid = Number(/up (\d+)/.exec(holder.stdout())?.[1])
    const failure = yield* Effect.flip(startEmbeddedPostgres(optionsFor(directory)))
    expect(failure.message).toBe(
      `The database in ${directory} is in use by process ${holder.pid}: stop that one first, or set NOVA_HOME to another folder.`,
    )
    expect(isRunning(pid)).toBe(true)
    holder.child.kill("SIGTERM")
    expect(yield* holder.ended).toBe(0)
    expect(isRunning(pid)).toBe(false)
  }),
)

live("data of another major version is refused in one sentence", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, "pg")
    const cluster = yield* Effect.scoped(
      Effect.map(prepareEmbeddedPostgres(optionsFor(directory)), (postgres) => postgres.cluster),
    )
    writeFileSync(join(cluster, "PG_VERSION"), "17\n")
    const failure = yield* Effect.flip(startEmbeddedPostgres(optionsFor(directory)))
    expect(failure.message).toContain("was made by PostgreSQL 17 and this is PostgreSQL 18")
    expect(failure.message).not.toContain("\n")
  }),
)

live("an initdb that was cut short is begun again", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, "pg")
    mkdirSync(join(directory, "data", "new", "base"), { recursive: true })
    const postgres = yield* startEmbeddedPostgres(optionsFor(directory))
    expect(yield* withSql(postgres.connection, setting("server_version"))).toMatch(/^18\./)
  }),
)

live("a path that is too long for a socket address gets its socket elsewhere", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, "deep".repeat(12), "deeper".repeat(12))
    const postgres = yield* startEmbeddedPostgres(optionsFor(directory))
    yield* withSql(postgres.connection, writeNote("reached"))
    expect(postgres.connection.socketDir.startsWith(directory)).toBe(false)
    expect(postgres.note).toBeUndefined()
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => rmSync(postgres.connection.socketDir, { recursive: true, force: true })),
    )
  }),
)

live("a killed server comes back under the supervisor with what was committed", () =>
  Effect.gen(function* () {
    const home = yield* temporaryDirectory
    const postgres = yield* prepareEmbeddedPostgres(optionsFor(join(home, "postgres")))
    const supervisor = yield* makeSupervisor({ home, restartWaitMs: 10 })
    const supervised = yield* supervisor.supervise(postgres.child)
    yield* withSql(postgres.connection, writeNote("committed"))
    for (let kills = 1; kills <= 2; kills++) {
      const victim = serverPid(postgres)
      process.kill(victim, "SIGKILL")
      yield* eventually("the server is back", () => ![0, victim].includes(serverPid(postgres)))
      while (!(yield* postgres.child.isReady(serverPid(postgres)))) yield* Effect.sleep(20)
      expect(yield* withSql(postgres.connection, readNotes)).toEqual(["committed"])
    }
    expect(yield* supervised.restarts).toBeGreaterThanOrEqual(2)
  }),
)

describe.if(isRoot)("as root", () => {
  live("where PostgreSQL's user cannot go, the data is kept elsewhere, and that is said", () =>
    Effect.gen(function* () {
      const closed = join(yield* temporaryDirectory, "closed")
      mkdirSync(closed)
      chmodSync(closed, 0o700)
      const directory = join(closed, "pg")
      const begin = Effect.acquireRelease(startEmbeddedPostgres(optionsFor(directory)), (postgres) =>
        Effect.sync(() => rmSync(dirname(postgres.child.logFile), { recursive: true, force: true })),
      )
      const place = yield* Effect.scoped(
        Effect.gen(function* () {
          const postgres = yield* startEmbeddedPostgres(optionsFor(directory))
          yield* withSql(postgres.connection, writeNote("far away"))
          const place = dirname(postgres.child.logFile)
          expect(place.startsWith(closed)).toBe(false)
          expect(postgres.note).toBe(
            `PostgreSQL does not run as root and its user cannot reach ${directory}, so the database is kept in ${place}.`,
          )
          return place
        }),
      )
      const again = yield* begin
      expect(dirname(again.child.logFile)).toBe(place)
      expect(yield* withSql(again.connection, readNotes)).toEqual(["far away"])
      rmSync(directory, { recursive: true })
      const anew = yield* begin
      expect(dirname(anew.child.logFile)).not.toBe(place)
    }),
  )

  live("the server runs as an ordinary user", () =>
    Effect.gen(function* () {
      const postgres = yield* startEmbeddedPostgres(optionsFor(join(yield* temporaryDirectory, "pg")))
      const status = readFileSync(`/proc/${serverPid(postgres)}/status`, "utf8")
      expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m)
      expect(status).toMatch(/^CapEff:\t0+$/m)
    }),
  )
})

if (whyNot !== undefined) console.log(`Skipped: PostgreSQL as an ordinary user, because ${whyNot}`)

describe.if(whyNot === undefined)("as an ordinary user", () => {
  live("starts, and a killed parent leaves nothing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryDirectory
      chmodSync(folder, 0o755)
      const home = makeOwnFolder(join(folder, "home"))
      const command = bunAsOrdinaryUser(folder, fixture, [join(home, "pg")])
      const parent = yield* start(command, { cwd: folder, env: { ...process.env, HOME: home } })
      yield* eventually("the server is up", () => parent.stdout().includes("up "))
      const [, pid, uid] = /up (\d+) (\d+)/.exec(parent.stdout()) ?? []
      expect(Number(uid)).toBe(ordinaryUser.uid)
      expect(isRunning(Number(pid))).toBe(true)
      parent.child.kill("SIGKILL")
      yield* eventually("the server is gone", () => !isRunning(Number(pid)))
    }),
  )

  live("a folder that is not writable is one sentence with the way out", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryDirectory
      chmodSync(folder, 0o755)
      const command = bunAsOrdinaryUser(folder, fixture, [join(folder, "pg")])
      const refused = yield* start(command, { cwd: folder, env: { ...process.env, HOME: folder } })
      expect(yield* refused.ended).toBe(1)
      expect(refused.stderr()).toBe(
        `Making ${join(folder, "pg")} failed: this user may not write there; start as its owner, or set NOVA_HOME to a folder of yours.\n`,
      )
    }),
  )
})
