/** The data directory itself: made once, complete or not at all, and of the server's own major version. */
import { existsSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { StartupFailure } from "../../platform/StartupFailure.ts"
import type { Binaries } from "./Binaries.ts"
import { lacksName, runWithName } from "./BorrowedName.ts"
import type { Directories } from "./Directories.ts"

export const superuser = "nova"

const fail = (message: string) => new StartupFailure({ message })

/** What PostgreSQL's programs print ahead of their reason: a time, a pid, a program's name. */
const complaint = /\b(?:error|ERROR|FATAL|PANIC):\s*(.+)/

const complaintOf = (output: string): string => {
  const lines = output.split("\n").filter((line) => line.trim() !== "")
  const found = lines.map((line) => complaint.exec(line)?.[1]).find((reason) => reason !== undefined)
  return (found ?? lines.at(-1) ?? "it said nothing").trim().replace(/\.$/, "")
}

/** A short write is how a disk that fills up shows itself first (src/backend/storage/smgr/md.c). */
const diskFull = /No space left on device|wrote only \d+ of \d+ bytes|Check free disk space/i

/** The way out for what initdb and postgres are known to complain about. */
export const explainPostgres = (doing: string, output: string): StartupFailure => {
  if (diskFull.test(output)) return fail(`${doing} failed: the disk is full; free some space.`)
  if (lacksName(output)) {
    return fail(
      `${doing} failed: this user's number has no entry in /etc/passwd, which PostgreSQL needs, and no user namespace can lend it one here (unshare of util-linux 2.38, unprivileged); start as a user that has an entry, allow such namespaces, or set DATABASE_URL to a server of yours.`,
    )
  }
  return fail(`${doing} failed: ${complaintOf(output)}.`)
}

/** initdb's work is checked by postgres's single-user mode, which also makes the database without a client. */
const createCluster = (
  binaries: Binaries,
  directories: Directories,
  database: string,
  durable: boolean,
): Effect.Effect<void, StartupFailure> =>
  Effect.gen(function* () {
    const { dataDir, user } = directories
    const draft = join(dataDir, "new")
    rmSync(draft, { recursive: true, force: true })
    const made = runWithName(user, [
      binaries.initdb,
      ...["-D", draft, "-U", superuser, "--auth=trust", "--encoding=UTF8", "--no-instructions"],
      ...["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
      ...(durable ? [] : ["--no-sync", "--no-data-checksums"]),
    ])
    if (made.status !== 0) return yield* explainPostgres(`Making the database in ${dataDir}`, made.output)
    const single = [binaries.postgres, "--single", "-D", draft, "template1"]
    const created = runWithName(user, single, `CREATE DATABASE "${database}";\n`)
    if (created.status !== 0 || /\b(ERROR|FATAL|PANIC):/.test(created.output)) {
      return yield* explainPostgres(`Making the database ${database} in ${dataDir}`, created.output)
    }
  })

/** Makes the cluster where there is none yet, and answers with the directory to give to `postgres -D`. */
export const ensureCluster = (
  binaries: Binaries,
  directories: Directories,
  database: string,
  durable: boolean,
): Effect.Effect<string, StartupFailure> =>
  Effect.gen(function* () {
    const cluster = join(directories.dataDir, "cluster")
    if (!existsSync(join(cluster, "PG_VERSION"))) {
      yield* createCluster(binaries, directories, database, durable)
      yield* Effect.try({
        try: () => {
          if (existsSync(cluster)) rmdirSync(cluster)
          renameSync(join(directories.dataDir, "new"), cluster)
        },
        catch: (cause) => fail(`Making the database in ${cluster} failed: ${cause}`),
      })
    }
    const major = readFileSync(join(cluster, "PG_VERSION"), "utf8").trim()
    if (major === binaries.major) return cluster
    return yield* fail(
      `The database in ${cluster} was made by PostgreSQL ${major} and this is PostgreSQL ${binaries.major}: move that folder away to begin anew, or dump it with PostgreSQL ${major} and restore it here.`,
    )
  })
