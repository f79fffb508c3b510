/**
 * Sessions at the real PostgreSQL, and the look from beside them at who waits for whom. The pool outlives a run: what
 * a session did before must not show: plans are kept, but are the same for all parameters, and every one of them ends
 * when all tables are emptied before a run. So a run begins with sessions that have no plans.
 */
import { PgConnection } from "@effect/sql-pg"
import { Effect, Exit, Redacted, Scope } from "effect"
import type { SqlError } from "effect/sql"

export type StatementExit = Exit.Exit<PgConnection.Result, SqlError.SqlError>

/** A statement that PostgreSQL has been given. */
export interface Running {
  readonly exit: () => StatementExit | undefined
  readonly finished: Promise<void>
}

export interface RealSession {
  readonly processId: number
  readonly run: (sql: string, params?: ReadonlyArray<unknown>) => Running
}

export interface RealSessions {
  readonly take: () => Promise<RealSession>
  readonly giveBack: (session: RealSession) => void
  /** "done", or "blocked" by a lock that another of these sessions holds. */
  readonly watch: (session: RealSession, running: Running) => Promise<"done" | "blocked">
  /** The first of these, stopped or not, that no other of these sessions keeps from going on. */
  readonly firstFree: (sessions: ReadonlyArray<RealSession>) => Promise<RealSession | undefined>
  /** Whether these wait for each other in a circle. */
  readonly isCircle: (sessions: ReadonlyArray<RealSession>) => Promise<boolean>
  readonly cancel: (session: RealSession) => Promise<void>
  /**
   * Stops the server's process of a session that waits for a lock, and lets it go on. Several may get what they wait
   * for at the same moment; which of them is first must not be PostgreSQL's choice.
   */
  readonly hold: (session: RealSession) => void
  readonly letGo: (session: RealSession) => void
  /** For the simulator's own reading and writing, outside of every program. */
  readonly query: (sql: string, params?: ReadonlyArray<unknown>) => Promise<ReadonlyArray<PgConnection.Row>>
  /** As it was when it was migrated. */
  readonly empty: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Longer than any statement of a run takes; a bug of the simulator, then. Milliseconds of the real clock. */
const PATIENCE_MS = 30_000

const STARTUP = {
  timezone: "UTC",
  plan_cache_mode: "force_generic_plan",
  jit: "off",
}

const sessionOf = (connection: PgConnection.PgConnection): RealSession => ({
  processId: connection.processId,
  run: (sql, params = []) => {
    let exit: StatementExit | undefined
    const fiber = Effect.runFork(connection.query(sql, params))
    const finished = new Promise<void>((resolve) => {
      fiber.addObserver((ended) => {
        exit = ended
        resolve()
      })
    })
    return { exit: () => exit, finished }
  },
})

const rowsOf = async (session: RealSession, sql: string, params: ReadonlyArray<unknown>) => {
  const running = session.run(sql, params)
  await running.finished
  const exit = running.exit()
  if (exit === undefined || Exit.isFailure(exit)) throw new Error(`${sql}: ${JSON.stringify(exit)}`)
  return exit.value.rows
}

/** @param url of a migrated database that nobody else uses */
export const openSessions = async (url: string): Promise<RealSessions> => {
  const scope = Scope.makeUnsafe()
  const connect = async () =>
    sessionOf(
      await Effect.runPromise(
        Scope.provide(
          PgConnection.make({
            url: Redacted.make(url),
            startupParameters: STARTUP,
          }),
          scope,
        ),
      ),
    )
  const beside = await connect()
  const free: Array<RealSession> = []
  const ours = new Set<number>()
  await rowsOf(beside, "SET session_replication_role = replica", [])
  const tables = await tablesOf(beside)
  await stopVacuum(beside, tables)

  const stopped = new Set<number>()
  const goOn = (processId: number): void => {
    if (stopped.delete(processId)) process.kill(processId, "SIGCONT")
  }
  const goOnAll = (): void => {
    for (const processId of stopped) goOn(processId)
  }
  // A process that stays stopped would keep the server from ending, and outlive it.
  process.once("exit", goOnAll)
  process.once("SIGTERM", leave)

  const blockersOf = async ({ processId }: RealSession): Promise<ReadonlyArray<number>> => {
    const [row] = await rowsOf(beside, "SELECT pg_blocking_pids($1::int) AS pids", [processId])
    return ((row?.pids ?? []) as ReadonlyArray<number>).filter((one) => ours.has(one))
  }
  return {
    take: async () => {
      const session = free.pop() ?? (await connect())
      ours.add(session.processId)
      return session
    },
    giveBack: (session) => {
      free.push(session)
    },
    watch: async (session, running) => {
      for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += 3) {
        await soon(running.finished)
        if (running.exit() !== undefined) return "done"
        const blockers = await blockersOf(session)
        if (running.exit() !== undefined) return "done"
        if (blockers.length > 0) return "blocked"
      }
      throw new Error("a statement neither ends nor waits for a lock")
    },
    firstFree: async (sessions) => {
      const [row] = await rowsOf(
        beside,
        `SELECT place::int FROM unnest($1::int[]) WITH ORDINALITY AS one (pid, place)
         WHERE NOT pg_blocking_pids(pid) && $2::int[] ORDER BY place LIMIT 1`,
        [sessions.map(({ processId }) => processId), [...ours]],
      )
      return row === undefined ? undefined : sessions[Number(row.place) - 1]
    },
    isCircle: async (sessions) => {
      const waitsFor = new Map<number, ReadonlyArray<number>>()
      for (const session of sessions) waitsFor.set(session.processId, await blockersOf(session))
      return sessions.some(({ processId }) => reaches(waitsFor, processId, processId, new Set()))
    },
    cancel: async ({ processId }) => {
      await rowsOf(beside, "SELECT pg_cancel_backend($1::int)", [processId])
    },
    hold: ({ processId }) => {
      stopped.add(processId)
      process.kill(processId, "SIGSTOP")
    },
    letGo: ({ processId }) => goOn(processId),
    query: (sql, params = []) => rowsOf(beside, sql, params),
    empty: async () => {
      await rowsOf(beside, `TRUNCATE ${tables.join(", ")} RESTART IDENTITY`, [])
      // The only row that a migration makes.
      await rowsOf(beside, "INSERT INTO issuance_control (id) VALUES (1)", [])
    },
    close: async () => {
      goOnAll()
      process.off("exit", goOnAll)
      process.off("SIGTERM", leave)
      await Effect.runPromise(Scope.close(scope, Exit.void))
    },
  }
}

/** As SIGTERM does by itself, but with what is to be done at an exit. */
const leave = (): void => process.exit(143)

/** Until it has finished, or for 3 ms of the real clock. */
const soon = async (finished: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 3)
  })
  await Promise.race([finished, late])
  clearTimeout(timer)
}

/** Rows move when vacuum has been at work, and with them the order in which a statement without one finds them. */
const stopVacuum = async (session: RealSession, tables: ReadonlyArray<string>): Promise<void> => {
  for (const table of tables)
    await rowsOf(session, `ALTER TABLE ${table} SET (autovacuum_enabled = false)`, [])
}

/** All that a run may write to, quoted. */
const tablesOf = async (session: RealSession): Promise<ReadonlyArray<string>> => {
  const rows = await rowsOf(session, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", [])
  return rows
    .map(({ tablename }) => String(tablename))
    .filter((name) => name !== "nova_migrations")
    .map((name) => `"${name}"`)
}

const reaches = (
  edges: ReadonlyMap<number, ReadonlyArray<number>>,
  from: number,
  goal: number,
  seen: Set<number>,
): boolean =>
  (edges.get(from) ?? []).some((next) => {
    if (next === goal) return true
    if (seen.has(next)) return false
    seen.add(next)
    return reaches(edges, next, goal, seen)
  })
