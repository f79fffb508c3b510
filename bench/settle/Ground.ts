/**
 * What every measurement stands on: a directory on a real disk that is gone afterwards, and one durable PostgreSQL as
 * `npm start` runs it (fsync on), in which each measurement has a fresh, migrated database of its own.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ConfigProvider, Effect, Layer, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import * as Database from "../../layers/db/Database.ts"
import { connectionTo, startEmbeddedPostgres } from "../../layers/db/EmbeddedPostgres.ts"
import { migrate } from "../../layers/db/Migrations.ts"
import { readOwner, writeOwner } from "../../layers/platform/OwnerFile.ts"
import { isAlive, ownIdentity } from "../../layers/platform/ProcessIdentity.ts"

export interface Ground {
  readonly directory: string
  /** Of the server whose children are the sessions. */
  readonly postgresPid: number
  /** DATABASE_URL of a database of this server. */
  readonly urlOf: (database: string) => string
}

/** TMPFS_MAGIC and RAMFS_MAGIC (statfs(2)): no disk, so that a sync there costs nothing. */
const MEMORY_FILE_SYSTEMS: ReadonlyArray<number> = [0x01021994, 0x858458f6]

const isMemory = (path: string): boolean => {
  try {
    return MEMORY_FILE_SYSTEMS.includes(statfsSync(path).type)
  } catch {
    return true
  }
}

/** The temporary directory, or the one that outlives a restart where the first is memory. */
const placeOnDisk = (): string => [tmpdir(), "/var/tmp"].find((path) => !isMemory(path)) ?? tmpdir()

const PREFIX = "nova-bench-"
const OWNER = "owner.json"

/** Removes what runs that were killed left behind; their programs ended with them. Others' directories stay. */
const sweepAbandoned = (place: string): void => {
  for (const name of readdirSync(place).filter((one) => one.startsWith(PREFIX))) {
    const path = join(place, name)
    const owner = readOwner(join(path, OWNER))
    if (owner !== undefined && !isAlive(owner)) rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** A new directory; with the scope it is gone. PostgreSQL's user may pass through. */
const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => {
    const place = placeOnDisk()
    sweepAbandoned(place)
    const path = mkdtempSync(join(place, PREFIX))
    writeOwner(join(path, OWNER), ownIdentity())
    chmodSync(path, 0o711)
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 })),
)

/** The server writes its own number first (postmaster.pid). */
const pidOf = (cluster: string): number =>
  Number(readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n")[0])

/** Starts the server; with the scope it stops and everything is removed. */
export const openGround = Effect.gen(function* () {
  const directory = yield* temporaryDirectory
  const postgres = yield* startEmbeddedPostgres({
    directory: join(directory, "postgres"),
    database: "bench",
    durable: true,
  })
  const { socketDir } = postgres.connection
  return {
    directory,
    postgresPid: pidOf(postgres.cluster),
    urlOf: (database) => connectionTo(socketDir, database).url,
  } satisfies Ground
})

/** An SqlClient on the address, without the limits that a program's sessions have: bulk work takes its time. */
export const clientOf = (url: string) =>
  Database.layerPatient("bench").pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { DATABASE_URL: url } }))),
    Layer.orDie,
  )

/** Runs the work with an SqlClient on the address. */
export const onDatabase = <A, E, R>(url: string, work: Effect.Effect<A, E, R>) =>
  Effect.provide(work, clientOf(url), { local: true })

const admin = (ground: Ground, statement: string) =>
  onDatabase(
    ground.urlOf("postgres"),
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)),
  ).pipe(Effect.orDie)

/** A fresh database with the newest schema; answers with its DATABASE_URL. With the scope it is dropped. */
export const freshDatabase = (ground: Ground, name: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Effect.acquireRelease(admin(ground, `CREATE DATABASE "${name}"`), () =>
      admin(ground, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`),
    )
    const url = ground.urlOf(name)
    yield* Effect.orDie(onDatabase(url, migrate))
    return url
  })
