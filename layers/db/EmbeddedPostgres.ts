/**
 * A real PostgreSQL from npm, on a Unix socket, owned by this process.
 *
 * `startEmbeddedPostgres` runs one for the length of a scope (tests, one-shot commands); `prepareEmbeddedPostgres`
 * gives what a supervisor needs to run and restart it. The server cannot outlive us: the kernel tells it when we die,
 * and what still slips through is found by its pid file at the next start.
 */
import { dirname, join } from "node:path"
import { Effect, type Scope } from "effect"
import { fileTrouble } from "../platform/FileTrouble.ts"
import { releaseOwnership, takeOwnership } from "../platform/OwnerFile.ts"
import type { StopStep } from "../platform/ProcessIdentity.ts"
import { StartupFailure } from "../platform/StartupFailure.ts"
import { awaitReady, runChild } from "../supervisor/ChildRun.ts"
import type { ChildSpec } from "../supervisor/ChildSpec.ts"
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
  /** How to run it, for a supervisor; its `prepare` stops a left-over server of the same directory. */
  readonly child: ChildSpec
  /** PostgreSQL's own data directory. */
  readonly cluster: string
  /** A sentence to print, where the data is not where one would look for it. */
  readonly note: string | undefined
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
    yield* holdOwnership(join(directories.place, "owner.json"))
    const binaries = yield* findBinaries(directories.user)
    const cluster = yield* ensureCluster(binaries, directories, options.database, options.durable)
    const settings = Object.entries(settingsFor(options, directories))
    const child: ChildSpec = {
      name: "postgres",
      command: [
        ...[binaries.postgres, "-D", cluster],
        ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      ...(directories.user === undefined ? {} : { runAs: directories.user }),
      cwd: "/",
      env: postgresEnvironment,
      environmentIsWhole: true,
      logFile: join(directories.place, "postgres.log"),
      prepare: Effect.asVoid(sweepLeftOver(cluster, directories.socketDir)),
      isReady: (pid) => Effect.sync(() => isReady(cluster, pid)),
      explainEnd: (output) => explainPostgres("Starting PostgreSQL", output).message,
      stopSteps: options.durable ? durableStop : throwawayStop,
      deathSignal: "INT",
    }
    const connection = connectionTo(directories.socketDir, options.database)
    return { connection, child, cluster, note: directories.note }
  })

/** Two owners of one cluster would stop each other's server as a left-over. */
const holdOwnership = (path: string): Effect.Effect<void, StartupFailure, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const holder = yield* Effect.try({
        try: () => takeOwnership(path),
        catch: (cause) => new StartupFailure({ message: `Writing ${path} failed: ${fileTrouble(cause)}.` }),
      })
      if (holder === undefined) return
      return yield* new StartupFailure({
        message: `The database in ${dirname(path)} is in use by process ${holder.pid}: stop that one first, or set NOVA_HOME to another folder.`,
      })
    }),
    () => Effect.sync(() => releaseOwnership(path)),
  )

/** Starts a server that takes connections, and stops it with the scope. */
export const startEmbeddedPostgres = (
  options: EmbeddedPostgresOptions,
): Effect.Effect<PreparedPostgres, StartupFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const prepared = yield* prepareEmbeddedPostgres(options)
    const { child } = prepared
    if (child.prepare !== undefined) yield* child.prepare
    const run = yield* runChild(child, join(dirname(child.logFile), "postgres.json"))
    yield* awaitReady(child, run)
    return prepared
  })
