/**
 * Where a cluster lives: data/ (PostgreSQL's own), run/ (its socket) and postgres.log, in one directory that its user
 * can reach.
 */
import { createHash, randomBytes } from "node:crypto"
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { cacheDirectory } from "../../platform/CacheDirectory.ts"
import { fileTrouble } from "../../platform/FileTrouble.ts"
import { StartupFailure } from "../../platform/StartupFailure.ts"
import { type PostgresUser, postgresUserFor, runAsPostgres } from "./PostgresUser.ts"

export interface Directories {
  readonly user: PostgresUser
  /** The directory of it all: the wanted one, or the one elsewhere. */
  readonly place: string
  readonly dataDir: string
  /** Short enough for a socket address. */
  readonly socketDir: string
  /** A sentence for the person who starts it, where the data is not where they would look. */
  readonly note: string | undefined
}

/** sun_path holds 104 bytes on macOS and 108 on Linux, the closing zero included (unix(4), unix(7)). */
const socketPathBytesMax = 103
export const socketName = ".s.PGSQL.5432"

const explain = (doing: string, cause: unknown): StartupFailure =>
  new StartupFailure({ message: `${doing} failed: ${fileTrouble(cause)}.` })

const forbidden = { code: "EACCES" }

/** Creates the folders that are missing. Those made for another user's server can be passed, but not listed. */
const makeReachable = (path: string, user: PostgresUser): void => {
  if (existsSync(path)) return
  makeReachable(dirname(path), user)
  mkdirSync(path)
  chmodSync(path, user === undefined ? 0o700 : 0o711)
}

const makeOwned = (path: string, user: PostgresUser): void => {
  mkdirSync(path, { recursive: true })
  if (user !== undefined) chownSync(path, user.uid, user.gid)
  chmodSync(path, 0o700)
}

/** Whether the server's user can write there, asked of the kernel: mode bits alone do not know ACLs and mounts. */
const canWrite = (path: string, user: PostgresUser): boolean =>
  runAsPostgres(user, ["/bin/sh", "-c", 'cd "$1" && [ -w . ]', "sh", path]).status === 0

const makeDirectory = (directory: string, user: PostgresUser) =>
  Effect.try({
    try: () => makeReachable(directory, user),
    catch: (cause) => explain(`Making ${directory}`, cause),
  })

/** What a file system says that cannot give files to another user: a shared folder, an NFS that mistrusts root. */
const cannotGive = /^(EPERM|EACCES|EINVAL|ENOTSUP)$/

/** Makes data/ and run/; false where the server's user cannot own them or cannot get there. */
const makeOwnedParts = (directory: string, user: PostgresUser) =>
  Effect.try({
    try: () => {
      makeOwned(join(directory, "data"), user)
      makeOwned(join(directory, "run"), user)
      return canWrite(join(directory, "data"), user)
    },
    catch: (cause) => cause,
  }).pipe(
    Effect.catch((cause) =>
      cannotGive.test((cause as NodeJS.ErrnoException).code ?? "")
        ? Effect.succeed(false)
        : Effect.fail(explain(`Making ${directory}`, cause)),
    ),
  )

export const pointerName = "elsewhere"

/**
 * The place for a cluster whose wanted directory PostgreSQL's user cannot reach. Its name is noted in that directory,
 * so that deleting the directory means a new cluster, not an old one that comes back.
 */
const placeElsewhere = (directory: string): Effect.Effect<string, StartupFailure> =>
  Effect.gen(function* () {
    const pointer = join(directory, pointerName)
    const known = existsSync(pointer) ? readFileSync(pointer, "utf8").trim() : undefined
    if (known !== undefined && existsSync(known)) return known
    const place = join(yield* cacheDirectory, "clusters", randomBytes(8).toString("hex"))
    yield* Effect.try({
      try: () => writeFileSync(pointer, `${place}\n`),
      catch: (cause) => explain(`Writing ${pointer}`, cause),
    })
    return place
  })

const findPlace = (wanted: string, user: PostgresUser) =>
  Effect.gen(function* () {
    yield* makeDirectory(wanted, user)
    const isElsewhere = user !== undefined && existsSync(join(wanted, pointerName))
    if (!isElsewhere && (yield* makeOwnedParts(wanted, user))) return wanted
    if (user === undefined) return yield* explain(`Making ${wanted}`, forbidden)
    const place = yield* placeElsewhere(wanted)
    yield* makeDirectory(place, user)
    if (yield* makeOwnedParts(place, user)) return place
    return yield* explain(`Making ${place} for PostgreSQL's user`, forbidden)
  })

/** run/ of the directory, or a short private one in the temporary directory where that path is too long. */
const socketDirectory = (place: string, user: PostgresUser): Effect.Effect<string, StartupFailure> =>
  Effect.gen(function* () {
    const hash = createHash("sha256").update(realpathSync(place)).digest("hex").slice(0, 12)
    const candidates = [
      join(place, "run"),
      join(tmpdir(), `nova-pg-${hash}`),
      join("/tmp", `nova-pg-${hash}`),
    ]
    const fitting = candidates.find((path) => Buffer.byteLength(join(path, socketName)) <= socketPathBytesMax)
    const path = fitting ?? join("/tmp", `nova-pg-${hash}`)
    return yield* Effect.try({
      try: () => {
        if (!existsSync(path)) makeOwned(path, user)
        const found = lstatSync(path)
        const owner = user?.uid ?? process.getuid?.()
        if (!found.isDirectory() || found.uid !== owner)
          throw new Error("it belongs to another user; remove it")
        return path
      },
      catch: (cause) => explain(`Making the socket directory ${path}`, cause),
    })
  })

/** Settles who the server runs as and where, and makes the directories. */
export const makeDirectories = (wanted: string): Effect.Effect<Directories, StartupFailure> =>
  Effect.gen(function* () {
    const user = yield* postgresUserFor(join(wanted, "data"))
    const place = yield* findPlace(wanted, user)
    const socketDir = yield* socketDirectory(place, user)
    return {
      user,
      place,
      dataDir: join(place, "data"),
      socketDir,
      note:
        place === wanted
          ? undefined
          : `PostgreSQL does not run as root and its user cannot reach ${wanted}, so the database is kept in ${place}.`,
    }
  })
