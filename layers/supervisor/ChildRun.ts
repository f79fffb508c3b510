/** One life of a child: spawned in its own process group, named in a pid file, stopped with its scope. */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs"
import { Effect, type Scope } from "effect"
import { dieWithParent, setprivPath, watchFromOutside } from "../platform/DieWithParent.ts"
import { inheritedEnvironment } from "../platform/Environment.ts"
import { fileTrouble } from "../platform/FileTrouble.ts"
import { writeOwner } from "../platform/OwnerFile.ts"
import { watchedByChild } from "../platform/ParentWatch.ts"
import { identityOf, type ProcessIdentity, stopProcess } from "../platform/ProcessIdentity.ts"
import { StartupFailure } from "../platform/StartupFailure.ts"
import { type ChildSpec, defaultStopSteps } from "./ChildSpec.ts"

export interface ChildRun {
  readonly pid: number
  /** "code 1" or "SIGKILL" once it has ended. */
  readonly ending: () => string | undefined
  /** Completes with the ending. */
  readonly ended: Effect.Effect<string>
  /** What it has printed in this life so far. */
  readonly output: () => string
}

const logBytesMax = 10 * 1024 * 1024

const openLog = (file: string): { readonly fd: number; readonly offset: number } => {
  if (existsSync(file) && statSync(file).size > logBytesMax) renameSync(file, `${file}.1`)
  const fd = openSync(file, "a", 0o600)
  return { fd, offset: statSync(file).size }
}

const endingOf = (child: ChildProcess): string | undefined => {
  if (child.signalCode !== null) return child.signalCode
  return child.exitCode === null ? undefined : `code ${child.exitCode}`
}

const environmentFor = (spec: ChildSpec): Record<string, string> => ({
  ...(spec.environmentIsWhole === true ? {} : { ...inheritedEnvironment(), ...watchedByChild() }),
  ...spec.env,
})

/**
 * Its own process group, so that Ctrl-C in a terminal reaches the supervisor alone, which then stops its children in
 * order. No standard input: nothing of ours asks questions.
 */
const spawnChild = (spec: ChildSpec): Effect.Effect<ChildRun, StartupFailure> =>
  Effect.callback((resume) => {
    const fail = (cause: unknown) =>
      resume(
        Effect.fail(
          new StartupFailure({ message: `${spec.name} could not be started: ${fileTrouble(cause)}.` }),
        ),
      )
    try {
      const [program = "", ...args] = dieWithParent(spec.command, spec.deathSignal ?? "TERM", spec.runAs)
      const log = openLog(spec.logFile)
      const env = environmentFor(spec)
      const stdio = ["ignore", log.fd, log.fd] as const
      const child = spawn(program, args, { cwd: spec.cwd, env, detached: true, stdio: [...stdio] })
      closeSync(log.fd)
      child.once("error", (cause) => fail(cause))
      child.once("spawn", () => {
        const pid = child.pid ?? 0
        if (setprivPath() === undefined) watchFromOutside(pid, spec.deathSignal ?? "TERM")
        resume(
          Effect.succeed({
            pid,
            ending: () => endingOf(child),
            ended: awaitEnding(child),
            output: () => readFileSync(spec.logFile).subarray(log.offset).toString("utf8"),
          }),
        )
      })
    } catch (cause) {
      fail(cause)
    }
  })

const awaitEnding = (child: ChildProcess): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const ending = endingOf(child)
    if (ending !== undefined) return resume(Effect.succeed(ending))
    const onExit = () => resume(Effect.succeed(endingOf(child) ?? "code 0"))
    child.once("exit", onExit)
    return Effect.sync(() => child.off("exit", onExit))
  })

/** The pid file is for the next start alone; a full disk must not keep this one from stopping its child. */
const notePid = (pidFile: string, identity: ProcessIdentity | undefined) =>
  Effect.try(() => {
    if (identity !== undefined) writeOwner(pidFile, identity)
  }).pipe(Effect.catch((cause) => Effect.logWarning(`${pidFile} could not be written: ${cause}`)))

const stop = (spec: ChildSpec, identity: ProcessIdentity | undefined, pidFile: string) =>
  Effect.gen(function* () {
    const isGone =
      identity === undefined || (yield* stopProcess(identity, spec.stopSteps ?? defaultStopSteps))
    if (isGone) rmSync(pidFile, { force: true })
    else yield* Effect.logError(`${spec.name} (process ${identity.pid}) does not stop`)
  })

/** Starts the child and writes its pid file; with the scope it is stopped and the file removed. */
export const runChild = (
  spec: ChildSpec,
  pidFile: string,
): Effect.Effect<ChildRun, StartupFailure, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const run = yield* spawnChild(spec)
      const identity = identityOf(run.pid)
      yield* notePid(pidFile, identity)
      return { run, identity }
    }),
    ({ identity }) => stop(spec, identity, pidFile),
  ).pipe(Effect.map(({ run }) => run))

const lastWordsCharsMax = 500

/** The first line of the last thing it printed that is no log record: a sentence, or the head of a stack. */
const lastWords = (output: string): string | undefined => {
  const lines = output.split("\n").filter((line) => line.trim() !== "")
  const record = lines.findLastIndex((line) => line.startsWith("{"))
  return lines[record + 1]?.trim().slice(0, lastWordsCharsMax)
}

/** What it said itself about its end, if it was a failure that it foresaw. */
const explanationOf = (spec: ChildSpec, ending: string, run: ChildRun): string | undefined =>
  spec.explainEnd?.(run.output()) ?? (ending === "code 1" ? lastWords(run.output()) : undefined)

const endedEarly = (spec: ChildSpec, ending: string, run: ChildRun): StartupFailure => {
  const otherwise = `${spec.name} ended with ${ending} before it was ready; its log is ${spec.logFile}.`
  return new StartupFailure({ message: explanationOf(spec, ending, run) ?? otherwise })
}

/** Completes with why the child ended, for the log. */
export const awaitEnd = (spec: ChildSpec, run: ChildRun): Effect.Effect<string> =>
  Effect.map(run.ended, (ending) => {
    const words = ending === "code 1" ? lastWords(run.output()) : undefined
    return `${spec.name} ended with ${ending}${words === undefined ? "" : ` (${words})`}`
  })

const readyPollMs = 20
const readyWithinMs = 30_000

/** Waits until the child is ready; fails when it ends before that, or takes too long. */
export const awaitReady = (spec: ChildSpec, run: ChildRun): Effect.Effect<void, StartupFailure> =>
  Effect.gen(function* () {
    const limitMs = spec.readyWithinMs ?? readyWithinMs
    const startedAtMs = performance.now()
    while (!(yield* spec.isReady(run.pid))) {
      const ending = run.ending()
      if (ending !== undefined) return yield* endedEarly(spec, ending, run)
      if (performance.now() - startedAtMs >= limitMs) {
        return yield* new StartupFailure({
          message: `${spec.name} was not ready within ${limitMs / 1000} s; its log is ${spec.logFile}.`,
        })
      }
      yield* Effect.sleep(readyPollMs)
    }
  })
