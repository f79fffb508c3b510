/**
 * A real PostgreSQL from npm, on a Unix socket, owned by this process.
 *
 * `startEmbeddedPostgres` runs one for the length of a scope (tests, one-shot commands); `prepareEmbeddedPostgres`
 * gives what a supervisor needs to run and restart it. The server cannot outlive us: the kernel tells it when we die,
 * and what still slips through is found by its pid file at the next start.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect, type Scope } from "effect"
import { dieWithParent, setprivPath, watchFromOutside } from "../platform/DieWithParent.ts"
import { releaseOwnership, takeOwnership } from "../platform/OwnerFile.ts"
import { identityOf, type StopStep, stopProcess } from "../platform/ProcessIdentity.ts"
import { StartupFailure } from "../platform/StartupFailure.ts"
import { findBinaries } from "./embedded-postgres/Binaries.ts"
import { ensureCluster, explainPostgres, superuser } from "./embedded-postgres/Cluster.ts"
import { type Directories, makeDirectories } from "./embedded-postgres/Directories.ts"
import { isReady, sweepLeftOver } from "./embedded-postgres/LeftOver.ts"
import { postgresEnvironment } from "./embedded-postgres/PostgresUser.ts"

export interface EmbeddedPostgresOptions {
  /** Holds the cluster, its socket and its log; made where it is missing. */
  readonly directory: string
  /** The database to make in a new cluster. */
  readonly database: string
  /** False for a throwaway cluster: a crash of the machine may lose it, and everything is faster. */
  readonly durable: boolean
  readonly maxConnections?: number
}

/** Everything that PgClient needs; `url` says the same in one string. */
export interface EmbeddedPostgresConnection {
  readonly socketDir: string
  readonly username: string
  readonly database: string
  readonly url: string
}

export interface PreparedPostgres {
  readonly connection: EmbeddedPostgresConnection
  readonly command: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** PostgreSQL's own data directory. */
  readonly cluster: string
  readonly logFile: string
  /** A sentence to print, where the data is not where one would look for it. */
  readonly note: string | undefined
  /** To run before each start: stops a left-over server and clears what a killed one leaves. */
  readonly sweep: Effect.Effect<void, StartupFailure>
  /** Whether the server with that pid takes connections. */
  readonly isReady: (pid: number) => boolean
  readonly stopSteps: ReadonlyArray<StopStep>
}

/** The address in the form that DATABASE_URL has. */
export const connectionTo = (socketDir: string, database: string): EmbeddedPostgresConnection => ({
  socketDir,
  username: superuser,
  database,
  url: `postgres:///${database}?host=${encodeURIComponent(socketDir)}&user=${superuser}`,
})

/** Smart shutdown waits for clients; a session left open must not hold us, so fast follows (pg_ctl's modes). */
const durableStop: ReadonlyArray<StopStep> = [
  { signal: "SIGTERM", waitMs: 2_000 },
  { signal: "SIGINT", waitMs: 8_000 },
  { signal: "SIGQUIT", waitMs: 2_000 },
  { signal: "SIGKILL", waitMs: 2_000 },
]

/** What a throwaway cluster holds is not worth a checkpoint. */
const throwawayStop: ReadonlyArray<StopStep> = [
  { signal: "SIGQUIT", waitMs: 3_000 },
  { signal: "SIGKILL", waitMs: 2_000 },
]

const settingsFor = (options: EmbeddedPostgresOptions, directories: Directories): Record<string, string> => ({
  listen_addresses: "",
  unix_socket_directories: directories.socketDir,
  unix_socket_permissions: "0700",
  max_connections: String(options.maxConnections ?? 100),
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] ",
  ...(options.durable ? {} : { fsync: "off", full_page_writes: "off", autovacuum: "off" }),
})

/** Finds the binaries, settles user and place, makes the cluster if there is none. Does not start the server. */
export const prepareEmbeddedPostgres = (
  options: EmbeddedPostgresOptions,
): Effect.Effect<PreparedPostgres, StartupFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const directories = yield* makeDirectories(options.directory)
    yield* holdOwnership(join(dirname(directories.dataDir), "owner.json"))
    const binaries = yield* findBinaries(directories.user)
    const cluster = yield* ensureCluster(binaries, directories, options.database, options.durable)
    const settings = Object.entries(settingsFor(options, directories))
    const server = [
      binaries.postgres,
      "-D",
      cluster,
      ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ]
    return {
      connection: connectionTo(directories.socketDir, options.database),
      command: dieWithParent(server, "INT", directories.user),
      env: postgresEnvironment,
      cluster,
      logFile: directories.logFile,
      note: directories.note,
      sweep: Effect.asVoid(sweepLeftOver(cluster, directories.socketDir)),
      isReady: (pid) => isReady(cluster, pid),
      stopSteps: options.durable ? durableStop : throwawayStop,
    }
  })

/** Two owners of one cluster would stop each other's server as a left-over. */
const holdOwnership = (path: string): Effect.Effect<void, StartupFailure, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const holder = yield* Effect.try({
        try: () => takeOwnership(path),
        catch: (cause) => new StartupFailure({ message: `${path} could not be written: ${cause}.` }),
      })
      if (holder === undefined) return
      return yield* new StartupFailure({
        message: `The database in ${dirname(path)} is in use by process ${holder.pid}: stop that one first, or set NOVA_HOME to another folder.`,
      })
    }),
    () => Effect.sync(() => releaseOwnership(path)),
  )

interface Running {
  readonly pid: number
  readonly child: ChildProcess
}

const launch = (prepared: PreparedPostgres): Effect.Effect<Running, StartupFailure> =>
  Effect.callback((resume) => {
    const [program = "", ...args] = prepared.command
    const log = openSync(prepared.logFile, "a", 0o600)
    const child = spawn(program, args, {
      env: prepared.env,
      cwd: "/",
      detached: true,
      stdio: ["ignore", log, log],
    })
    closeSync(log)
    child.once("error", (cause) =>
      resume(
        Effect.fail(new StartupFailure({ message: `PostgreSQL could not be started: ${cause.message}.` })),
      ),
    )
    child.once("spawn", () => {
      const pid = child.pid ?? 0
      if (setprivPath() === undefined) watchFromOutside(pid, "INT")
      resume(Effect.succeed({ pid, child }))
    })
  })

const stop = (running: Running, prepared: PreparedPostgres) =>
  Effect.suspend(() => {
    const identity = identityOf(running.pid)
    return identity === undefined ? Effect.void : Effect.asVoid(stopProcess(identity, prepared.stopSteps))
  })

const lastLog = (file: string): string => readFileSync(file, "utf8").slice(-4000)

const readyPollMs = 10
const readyWithinMs = 30_000

const awaitReady = (running: Running, prepared: PreparedPostgres): Effect.Effect<void, StartupFailure> =>
  Effect.gen(function* () {
    for (let waitedMs = 0; !prepared.isReady(running.pid); waitedMs += readyPollMs) {
      if (running.child.exitCode !== null || running.child.signalCode !== null) {
        return yield* explainPostgres(
          `Starting PostgreSQL (log: ${prepared.logFile})`,
          lastLog(prepared.logFile),
        )
      }
      if (waitedMs >= readyWithinMs) {
        return yield* new StartupFailure({
          message: `PostgreSQL did not take connections within ${readyWithinMs / 1000} s; its log is ${prepared.logFile}.`,
        })
      }
      yield* Effect.sleep(readyPollMs)
    }
  })

/** Starts a server that takes connections, and stops it with the scope. */
export const startEmbeddedPostgres = (
  options: EmbeddedPostgresOptions,
): Effect.Effect<PreparedPostgres, StartupFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const prepared = yield* prepareEmbeddedPostgres(options)
    yield* prepared.sweep
    const running = yield* Effect.acquireRelease(launch(prepared), (started) => stop(started, prepared))
    yield* awaitReady(running, prepared)
    return prepared
  })
