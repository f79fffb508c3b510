/**
 * PostgreSQL as the programs of a run see it: real statements in real transactions, one at a time. One that waits for
 * a lock is left waiting while the others go on, as long as a session's limits allow.
 *
 * The limits are those of layers/db/Database.ts in virtual time: a lock is waited for 5 s, and a transaction in which
 * nothing happens for 10 s is ended.
 */
import { PgClient, type PgConnection } from "@effect/sql-pg"
import { Effect, Exit, type Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, SqlError } from "effect/sql"
import type { StepKind } from "./Fault.ts"
import type { Gate } from "./Gate.ts"
import type { Process } from "./Process.ts"
import type { RealSession, RealSessions, Running, StatementExit } from "./RealSessions.ts"
import type { World } from "./World.ts"

const LOCK_TIMEOUT_MS = 5_000
const IDLE_IN_TRANSACTION_MS = 10_000

/** ms on the way to the database, and back. */
const USUAL_MS = 2

/** A session that a program holds for a transaction. */
interface Held {
  readonly process: Process
  /** From its first statement on. */
  real: RealSession | undefined
  hasBegun: boolean
  isBroken: boolean
  isClosed: boolean
  /** Statements so far. */
  moves: number
  waiting: Waiting | undefined
}

/** A statement that waits for a lock. */
interface Waiting {
  readonly real: RealSession
  readonly running: Running
  readonly label: string
  readonly finish: (exit: StatementExit) => void
  /** What it is told instead of what PostgreSQL says, where it did not end by itself. */
  instead: StatementExit | undefined
}

export interface Database {
  readonly clientFor: (process: Process) => Effect.Effect<SqlClient.SqlClient, never, Scope.Scope>
  /** All sessions end, and there are none for so long. */
  readonly goAway: (forMs: number) => Promise<void>
  /** The process is gone; its transactions are rolled back after so long. */
  readonly forsake: (process: Process, lingerMs: number) => void
  /** The process does not move for so long. */
  readonly wasFrozen: (process: Process) => void
  /** Ends whatever is open, for the next run. */
  readonly abandonAll: () => Promise<void>
}

const failure = (reason: SqlError.SqlErrorReason): StatementExit =>
  Exit.fail(new SqlError.SqlError({ reason }))

const connectionLost = (): StatementExit =>
  failure(
    new SqlError.ConnectionError({
      cause: new Error("the connection to the database is gone"),
      message: "PgConnection: Connection closed",
      operation: "execute",
    }),
  )

const lockTimeout = (): StatementExit =>
  failure(
    new SqlError.LockTimeoutError({
      cause: Object.assign(new Error("canceling statement due to lock timeout"), { code: "55P03" }),
      message: "PgConnection: Failed to execute query",
      operation: "execute",
    }),
  )

/** The answer to the end of a transaction that never began. */
const NOTHING: PgConnection.Result = {
  command: "COMMIT",
  rowCount: 0,
  oid: null,
  rows: [],
  fields: [],
}

const labels = new Map<string, string>()

/** The statement on one line, without its parameters. */
const labelOf = (sql: string): string => {
  const known = labels.get(sql)
  if (known !== undefined) return known
  const text = sql.replace(/\s+/g, " ").trim().slice(0, 100)
  labels.set(sql, text)
  return text
}

const WRITES = /\b(?:INSERT|UPDATE|DELETE)\b/

const kindsOf = (sql: string): ReadonlySet<StepKind> =>
  new Set<StepKind>([
    "any",
    ...(WRITES.test(sql) ? ["write" as const] : []),
    ...(sql === "COMMIT" ? ["commit" as const] : []),
  ])

export const makeDatabase = (world: World, real: RealSessions, gate: Gate): Database => {
  const held = new Set<Held>()
  let waiting: Array<Waiting> = []
  let isAway = false

  /** Keeps those that wait from going on by themselves while something is done that may free their locks. */
  let depth = 0
  const whileHeld = async (act: () => Promise<void>): Promise<void> => {
    depth++
    for (const one of waiting) real.hold(one.real)
    await act()
    await wake()
    depth--
    if (depth === 0) for (const one of waiting) real.letGo(one.real)
  }

  /** Those whose lock has come free go on, one after the other. */
  const wake = async (): Promise<void> => {
    // Those before this place have gone on and wait again, or have nothing to go on with.
    let from = 0
    while (true) {
      const one = await firstFree(waiting.slice(from))
      if (one === undefined) return
      real.letGo(one.real)
      if ((await real.watch(one.real, one.running)) === "blocked") {
        real.hold(one.real)
        from = waiting.indexOf(one) + 1
        continue
      }
      waiting = waiting.filter((other) => other !== one)
      const exit = one.running.exit()
      if (exit !== undefined) one.finish(one.instead ?? exit)
      from = 0
    }
  }

  const firstFree = async (those: ReadonlyArray<Waiting>): Promise<Waiting | undefined> => {
    if (those.length === 0) return undefined
    const session = await real.firstFree(those.map((each) => each.real))
    return those.find((each) => each.real === session)
  }

  const endWaiting = (one: Waiting, instead: StatementExit): Promise<void> =>
    whileHeld(async () => {
      if (!waiting.includes(one)) return
      one.instead = instead
      real.letGo(one.real)
      await real.cancel(one.real)
      await one.running.finished
    })

  const waitForLock = async (one: Waiting, session: Held | undefined, who: string): Promise<void> => {
    waiting.push(one)
    if (session !== undefined) session.waiting = one
    world.say(who, `${one.label} waits for a lock`)
    if (await real.isCircle(waiting.map((each) => each.real))) {
      world.violate(`deadlock: ${one.label}`)
      await one.running.finished
      await wake()
      return
    }
    world.after(LOCK_TIMEOUT_MS, () => endWaiting(one, lockTimeout()))
  }

  const carryOut =
    (
      process: Process,
      session: Held | undefined,
      sql: string,
      params: ReadonlyArray<unknown>,
      label: string,
    ) =>
    async (done: (exit: StatementExit) => void): Promise<void> => {
      if (isAway || session?.isBroken || session?.isClosed) return done(connectionLost())
      const isEnd = sql === "COMMIT" || sql === "ROLLBACK"
      if (isEnd && session?.hasBegun === false) return done(Exit.succeed(NOTHING))
      const used = session?.real ?? (await real.take())
      if (session !== undefined) {
        session.real = used
        session.moves++
        if (!session.hasBegun) await used.run("BEGIN").finished
        session.hasBegun = true
      }
      const finish = (exit: StatementExit): void => {
        if (session === undefined) real.giveBack(used)
        else {
          session.waiting = undefined
          if (isEnd) session.hasBegun = false
        }
        done(exit)
      }
      const run = async (): Promise<void> => {
        const running = used.run(sql, params)
        if ((await real.watch(used, running)) === "blocked") {
          return waitForLock(
            { real: used, running, label, finish, instead: undefined },
            session,
            process.name,
          )
        }
        const exit = running.exit()
        if (exit !== undefined) finish(exit)
      }
      // Only the end of a transaction frees locks.
      const mayFree = session === undefined || sql.startsWith("ROLLBACK") || isEnd
      return mayFree && waiting.length > 0 ? whileHeld(run) : run()
    }

  const letGo = (session: Held): void => {
    held.delete(session)
    if (session.real !== undefined) real.giveBack(session.real)
    session.real = undefined
  }

  /** The server's side of a connection that ends. */
  const rollBack = async (session: Held): Promise<void> => {
    if (session.isBroken || session.isClosed) return
    session.isBroken = true
    await whileHeld(async () => {
      if (session.waiting !== undefined) await endWaiting(session.waiting, connectionLost())
      if (session.hasBegun) await session.real?.run("ROLLBACK").finished
      letGo(session)
    })
  }

  /** As the driver does it: the statement is cancelled, and its end waited for. */
  const cancelled = (process: Process, one: Waiting) =>
    Effect.callback<void>((resume) => {
      world.after(0, async () => {
        await endWaiting(one, connectionLost())
        process.deliver(0, () => resume(Effect.void))
      })
    })

  const statement = (
    process: Process,
    session: Held | undefined,
    sql: string,
    params: ReadonlyArray<unknown>,
  ) => {
    const label = labelOf(sql)
    return gate.pass<PgConnection.Result, SqlError.SqlError>(process, {
      label,
      kinds: kindsOf(sql),
      usualMs: USUAL_MS,
      carryOut: carryOut(process, session, sql, params, label),
      mayBeOrphan: () =>
        session === undefined || (sql === "COMMIT" && !session.isBroken && !session.isClosed),
      giveUp: () => (session?.waiting === undefined ? Effect.void : cancelled(process, session.waiting)),
      breakOff: () => {
        if (session !== undefined) world.after(0, () => rollBack(session))
        return connectionLost()
      },
      describe: ({ rowCount }) => String(rowCount),
      describeError: ({ reason }) => `${reason._tag}${codeOf(reason.cause)}`,
    })
  }

  const sessionFor = (process: Process, session: Held | undefined) => {
    const rows = (sql: string, params: ReadonlyArray<unknown>) =>
      // Sent with the first statement: until then it changes nothing for anybody.
      sql === "BEGIN"
        ? Effect.succeed([])
        : Effect.map(statement(process, session, sql, params), (result) => result.rows)
    return {
      execute: rows,
      executeUnprepared: rows,
      executeRaw: (sql: string, params: ReadonlyArray<unknown>) => statement(process, session, sql, params),
      executeStream: () => {
        throw new Error("no program streams")
      },
      executeValues: () => Effect.die("no program asks for values"),
      executeValuesUnprepared: () => Effect.die("no program asks for values"),
    }
  }

  const begin = (process: Process) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => {
          const opened: Held = {
            process,
            real: undefined,
            hasBegun: false,
            isBroken: false,
            isClosed: false,
            moves: 0,
            waiting: undefined,
          }
          held.add(opened)
          return opened
        }),
        (session) =>
          Effect.sync(() => {
            if (session.isBroken) return
            if (session.hasBegun) {
              world.after(0, () => rollBack(session))
              return
            }
            session.isClosed = true
            letGo(session)
          }),
      ),
      (session) => sessionFor(process, session),
    )

  return {
    clientFor: (process) => makeClient(sessionFor(process, undefined), begin(process)),
    goAway: async (forMs) => {
      isAway = true
      world.after(forMs, () => {
        isAway = false
        world.say("database", "is back")
      })
      for (const session of [...held]) await rollBack(session)
      for (const one of [...waiting]) await endWaiting(one, connectionLost())
    },
    forsake: (process, lingerMs) => {
      const left = [...held].filter((session) => session.process === process)
      for (const session of left) world.after(lingerMs, () => rollBack(session))
    },
    wasFrozen: (process) => {
      for (const session of held) {
        if (session.process !== process) continue
        const { moves } = session
        world.after(IDLE_IN_TRANSACTION_MS, () => {
          if (session.moves !== moves || !session.hasBegun || session.waiting !== undefined) return
          if (session.isBroken || session.isClosed || !process.isAlive()) return
          world.say("database", `ends a transaction of ${process.name} in which nothing happens`)
          return rollBack(session)
        })
      }
    },
    abandonAll: async () => {
      for (const session of [...held]) await rollBack(session)
      for (const one of [...waiting]) await endWaiting(one, connectionLost())
    },
  }
}

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? ` ${String(cause.code)}` : ""

type Session = Effect.Success<SqlClient.SqlClient["reserve"]>

/** As PgClient makes it, over sessions that wait at the gate. */
const makeClient = (
  alone: Session,
  transactionAcquirer: Effect.Effect<Session, never, Scope.Scope>,
): Effect.Effect<SqlClient.SqlClient> =>
  SqlClient.make({
    acquirer: Effect.succeed(alone),
    borrower: (use) => use(alone),
    transactionAcquirer,
    compiler: PgClient.makeCompiler(),
    driver: "postgresql",
    prepareTransactionControls: true,
    beginTransaction: "BEGIN",
    commit: (session) =>
      Effect.flatMap(session.executeRaw("COMMIT", []), (result) =>
        (result as PgConnection.Result).command === "ROLLBACK"
          ? Effect.fail(
              new SqlError.SqlError({
                reason: new SqlError.UnknownError({
                  cause: new Error("COMMIT rolled back an aborted transaction"),
                }),
              }),
            )
          : Effect.void,
      ),
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    spanAttributes: [],
  }).pipe(Effect.provide(Reactivity.layer))
