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

const explain = (doing: string, cause: unknown): StartupFailure => {
  const text = String(cause)
  const reason = /ENOSPC/.test(text)
    ? "the disk is full; free some space"
    : /EROFS/.test(text)
      ? "that disk is read-only; set NOVA_HOME to a folder that this user can write"
      : /EACCES|EPERM/.test(text)
        ? "this user may not write there; start as its owner, or set NOVA_HOME to a folder of yours"
        : text
  return new StartupFailure({ message: `${doing} failed: ${reason}.` })
}

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

const tryDirectory = (directory: string, user: PostgresUser): boolean => {
  makeReachable(directory, user)
  makeOwned(join(directory, "data"), user)
  makeOwned(join(directory, "run"), user)
  return canWrite(join(directory, "data"), user)
}

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
    mkdirSync(directory, { recursive: true })
    writeFileSync(pointer, `${place}\n`)
    return place
  })

const findPlace = (wanted: string, user: PostgresUser) =>
  Effect.gen(function* () {
    const attempt = Effect.try({
      try: () => tryDirectory(wanted, user),
      catch: (cause) => explain(`Making ${wanted}`, cause),
    })
    if (user === undefined) {
      if (yield* attempt) return wanted
      return yield* explain(`Making ${wanted}`, "EACCES")
    }
    if (!existsSync(join(wanted, pointerName)) && (yield* Effect.orElseSucceed(attempt, () => false)))
      return wanted
    const place = yield* placeElsewhere(wanted)
    const reached = yield* Effect.try({
      try: () => tryDirectory(place, user),
      catch: (cause) => explain(`Making ${place}`, cause),
    })
    if (reached) return place
    return yield* explain(`Making ${place} for PostgreSQL's user`, "EACCES")
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
        if (!found.isDirectory() || found.uid !== owner) throw new Error("EACCES: it belongs to another user")
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
