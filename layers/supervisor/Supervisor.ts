/**
 * Keeps programs running: started in order, restarted when they end, stopped in reverse order.
 *
 * Each `supervise` belongs to a scope. Closing the scope stops the children last to first, because a scope runs its
 * finalizers in reverse. A child that ends before it was ever ready fails the start; later it is started again, with
 * a wait that doubles up to a limit, however often it takes: what it needs may be restarting too.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Exit, Ref, type Scope } from "effect"
import { fileTrouble } from "../platform/FileTrouble.ts"
import { readOwner, releaseOwnership, takeOwnership } from "../platform/OwnerFile.ts"
import { type StopStep, stopProcess } from "../platform/ProcessIdentity.ts"
import { StartupFailure } from "../platform/StartupFailure.ts"
import { awaitEnd, awaitReady, runChild } from "./ChildRun.ts"
import type { ChildSpec } from "./ChildSpec.ts"

export interface Supervised {
  readonly name: string
  /** The pid of its present life; undefined between two lives. */
  readonly pid: Effect.Effect<number | undefined>
  /** How often it had to be started again. */
  readonly restarts: Effect.Effect<number>
}

export interface Supervisor {
  /** Starts the child, waits until it is ready, and keeps it running until the scope closes. */
  readonly supervise: (spec: ChildSpec) => Effect.Effect<Supervised, StartupFailure, Scope.Scope>
}

export interface SupervisorOptions {
  /** The folder that one supervisor at a time may work on; holds its lock and the children's pid files. */
  readonly home: string
  /** Wait before the first restart, in ms; doubles with each. 200 where it is not given. */
  readonly restartWaitMs?: number
  /** The longest wait, in ms. 5,000 where it is not given. */
  readonly restartWaitMaxMs?: number
}

/** A child that was ready for so long has recovered: its next crash is a new one. Milliseconds. */
const stableAfterMs = 10_000

const holdHome = (home: string): Effect.Effect<void, StartupFailure, Scope.Scope> => {
  const lock = join(home, "supervisor.json")
  const take = Effect.gen(function* () {
    const holder = yield* Effect.try({
      try: () => {
        mkdirSync(join(home, "run"), { recursive: true })
        return takeOwnership(lock)
      },
      catch: (cause) =>
        new StartupFailure({
          message: `Writing to ${home} failed: ${fileTrouble(cause)}.`,
        }),
    })
    if (holder === undefined) return
    return yield* new StartupFailure({
      message: `Nova Rewards already runs on ${home} (process ${holder.pid}): stop that one first, or set NOVA_HOME to another folder.`,
    })
  })
  return Effect.acquireRelease(take, () => Effect.sync(() => releaseOwnership(lock)))
}

interface Life {
  readonly spec: ChildSpec
  readonly pidFile: string
  readonly pid: Ref.Ref<number | undefined>
  readonly restarts: Ref.Ref<number>
  readonly firstReady: Deferred.Deferred<void, StartupFailure>
}

/** From start to end of one life. Succeeds with why it ended and for how long it had been ready, in ms. */
const liveOnce = (life: Life) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { spec } = life
      if (spec.prepare !== undefined) yield* spec.prepare
      const run = yield* runChild(spec, life.pidFile)
      yield* Ref.set(life.pid, run.pid)
      yield* awaitReady(spec, run)
      yield* Effect.logInfo(`${spec.name} is ready (process ${run.pid})`)
      yield* Deferred.succeed(life.firstReady, undefined)
      const readySinceMs = performance.now()
      const why = yield* awaitEnd(spec, run)
      return { why, readyForMs: performance.now() - readySinceMs }
    }),
  ).pipe(
    // A bug of ours in here must not leave the child unsupervised without a word.
    Effect.catchDefect((defect) =>
      Effect.fail(
        new StartupFailure({ message: `${life.spec.name} could not be run: ${fileTrouble(defect)}.` }),
      ),
    ),
    Effect.ensuring(Ref.set(life.pid, undefined)),
  )

/** Life after life, for ever. A failure before the first readiness is the start's failure, and ends it. */
const liveOn = (life: Life, options: SupervisorOptions): Effect.Effect<void> =>
  Effect.gen(function* () {
    const firstWaitMs = options.restartWaitMs ?? 200
    const waitMaxMs = options.restartWaitMaxMs ?? 5_000
    let waitMs = firstWaitMs
    while (true) {
      const ended = yield* liveOnce(life).pipe(
        Effect.catch((failure) =>
          Effect.as(Deferred.fail(life.firstReady, failure), { why: failure.message, readyForMs: 0 }),
        ),
      )
      if (Exit.isFailure(yield* Effect.exit(Deferred.await(life.firstReady)))) return
      if (ended.readyForMs >= stableAfterMs) waitMs = firstWaitMs
      yield* Effect.logWarning(`${ended.why}; starting it again in ${waitMs} ms`)
      yield* Effect.sleep(waitMs)
      yield* Ref.update(life.restarts, (count) => count + 1)
      waitMs = Math.min(waitMs * 2, waitMaxMs)
    }
  })

const superviseIn =
  (options: SupervisorOptions) =>
  (spec: ChildSpec): Effect.Effect<Supervised, StartupFailure, Scope.Scope> =>
    Effect.gen(function* () {
      const pidFile = join(options.home, "run", `${spec.name}.json`)
      const life: Life = {
        spec,
        pidFile,
        pid: yield* Ref.make<number | undefined>(undefined),
        restarts: yield* Ref.make(0),
        firstReady: yield* Deferred.make<void, StartupFailure>(),
      }
      yield* Effect.forkScoped(liveOn(life, options))
      yield* Deferred.await(life.firstReady)
      return { name: spec.name, pid: Ref.get(life.pid), restarts: Ref.get(life.restarts) }
    })

/** SIGINT is what a PostgreSQL with open connections stops at; everything else has stopped before. */
const leftOverSteps: ReadonlyArray<StopStep> = [
  { signal: "SIGTERM", waitMs: 5_000 },
  { signal: "SIGINT", waitMs: 8_000 },
  { signal: "SIGKILL", waitMs: 2_000 },
]

/** Stops what a supervisor that was killed with -9 left behind, all at once, before anything new starts. */
const stopLeftOvers = (home: string): Effect.Effect<void, StartupFailure> => {
  const folder = join(home, "run")
  const stopOne = (file: string) =>
    Effect.gen(function* () {
      const owner = readOwner(join(folder, file))
      if (owner !== undefined && !(yield* stopProcess(owner, leftOverSteps))) {
        return yield* new StartupFailure({
          message: `${file.replace(/\.json$/, "")} (process ${owner.pid}) of an earlier start does not stop: end it and start again.`,
        })
      }
      rmSync(join(folder, file), { force: true })
    })
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"))
  return Effect.forEach(files, stopOne, { concurrency: "unbounded", discard: true })
}

/** Takes hold of the home folder, or says in one sentence who holds it; stops what an earlier start left running. */
export const makeSupervisor = (
  options: SupervisorOptions,
): Effect.Effect<Supervisor, StartupFailure, Scope.Scope> =>
  Effect.gen(function* () {
    yield* holdHome(options.home)
    yield* stopLeftOvers(options.home)
    return { supervise: superviseIn(options) }
  })
