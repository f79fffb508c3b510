/** Does to the system what a strike says, and notes what was down, and for how long. */
import { Clock, Effect, Fiber, type Scope } from "effect"
import type { Started } from "../../support/Processes.ts"
import type { Chance } from "../support/Chance.ts"
import { partOf, signal } from "../support/HomeProcesses.ts"
import { awaitHealed, type Place, startSystem, stopSystem } from "../support/NovaSystem.ts"
import {
  channelsOf,
  refusals,
  startNextRun,
  startSecondWorker,
  supervisedWorker,
} from "../support/TwoWorkers.ts"
import type { Program, Strike } from "./Strike.ts"
import { awaitNextLife, pidOf, type Watch } from "./Watch.ts"

/** How long an orderly stop may take, in ms. */
export const STOP_MS_MAX = 30_000

/** The system under test, and what was found out about it so far. */
export interface Patient {
  readonly place: Place
  readonly watch: Watch
  readonly chance: Chance
  readonly leaseMs: number
  /** The present launcher. */
  launched: Started
  kills: number
  readonly killsOf: Map<Program, number>
  readonly stopsMs: Array<number>
  /** Stale writes that were refused to workers that woke up. */
  refused: number
  sleeps: number
  /** What must not be, in words. */
  readonly wrongs: Array<string>
}

type Step = (patient: Patient) => Effect.Effect<void, never, Scope.Scope>

/** A part that lies between two lives cannot be hit: its next one is waited for. */
const awaitVictim = (place: Place, part: Program) =>
  Effect.gen(function* () {
    for (let looks = 0; looks < 3_000; looks++) {
      const found = partOf(place.home, part)
      if (found !== undefined) return found.identity
      yield* Effect.sleep(10)
    }
    return yield* Effect.die(new Error(`There is no ${part} to be hit for 30 s`))
  })

const kill =
  (parts: ReadonlyArray<Program>, isWaitedFor: boolean): Step =>
  (patient) =>
    Effect.gen(function* () {
      const { place, watch } = patient
      const lives: Array<Effect.Effect<void>> = []
      for (const part of parts) {
        const victim = yield* awaitVictim(place, part)
        const fromMs = yield* Clock.currentTimeMillis
        signal(victim, "SIGKILL")
        patient.kills++
        patient.killsOf.set(part, (patient.killsOf.get(part) ?? 0) + 1)
        lives.push(awaitNextLife(place, watch, part, victim.pid, fromMs))
      }
      const next = yield* Effect.forkScoped(Effect.all(lives, { concurrency: "unbounded", discard: true }))
      if (!isWaitedFor) return
      yield* Fiber.join(next)
      yield* awaitHealed(place)
    })

/** PostgreSQL's orderly stop is its fast one: the smart one of SIGTERM waits for its clients. */
const stopSignal = (part: Program) => (part === "postgres" ? "SIGINT" : "SIGTERM")

const endingsOf = ({ launched }: Patient, part: Program): ReadonlyArray<string> =>
  [...launched.stderr().matchAll(new RegExp(`${part} ended with ([^;(]+)`, "g"))].map(([, ending = ""]) =>
    ending.trim(),
  )

const stopOne =
  (part: Program): Step =>
  (patient) =>
    Effect.gen(function* () {
      const { place, watch } = patient
      yield* awaitHealed(place)
      const victim = yield* awaitVictim(place, part)
      const before = endingsOf(patient, part).length
      const fromMs = yield* Clock.currentTimeMillis
      signal(victim, stopSignal(part))
      while (pidOf(place, part) === victim.pid) {
        if ((yield* Clock.currentTimeMillis) - fromMs > STOP_MS_MAX) {
          patient.wrongs.push(`${part} did not stop within ${STOP_MS_MAX} ms`)
          return
        }
        yield* Effect.sleep(10)
      }
      patient.stopsMs.push((yield* Clock.currentTimeMillis) - fromMs)
      yield* awaitNextLife(place, watch, part, victim.pid, fromMs)
      const [ending = "nothing"] = endingsOf(patient, part).slice(before)
      if (ending !== "code 0") patient.wrongs.push(`${part}, told to stop, ended with ${ending}`)
    })

const PROGRAMS: ReadonlyArray<Program> = ["issuance-worker", "api", "localnet", "postgres"]

const stopAll: Step = (patient) =>
  Effect.gen(function* () {
    const { launched, place, watch } = patient
    yield* awaitHealed(place)
    const fromMs = yield* Clock.currentTimeMillis
    const { ending, tookMs } = yield* stopSystem(place, launched)
    patient.stopsMs.push(tookMs)
    if (ending !== 0) patient.wrongs.push(`the launcher, told to stop, ended with ${ending}`)
    if (tookMs > STOP_MS_MAX) patient.wrongs.push(`the system took ${tookMs} ms to stop`)
    patient.launched = yield* startSystem(place)
    const untilMs = yield* Clock.currentTimeMillis
    for (const part of PROGRAMS) watch.noteDown(part, { fromMs, untilMs })
  })

/** The worker's own next run. Nothing that the sleeping one holds may end it: what it cannot have is left to a lease. */
const takeOverByName = ({ place, wrongs }: Patient) =>
  Effect.gen(function* () {
    const next = yield* startNextRun(place, STOP_MS_MAX)
    const ends = next.starts - 1
    if (ends > 0) wrongs.push(`a sleeping worker's next run ended by itself ${ends} times`)
    return next
  })

/**
 * The worker counts as down from its sleep until the other one holds channels of it: that wait is the lease's, by
 * design. From then on everything must go on without it.
 */
const sleep =
  (isReplacedByName: boolean): Step =>
  (patient) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { chance, leaseMs, place, watch } = patient
        yield* awaitHealed(place)
        const sleeper = yield* supervisedWorker(place)
        const replica = isReplacedByName
          ? undefined
          : yield* startSecondWorker(place, `second-${patient.sleeps}`)
        yield* Effect.sleep(chance.between(1_000, 2_500))
        const fromMs = yield* Clock.currentTimeMillis
        signal(sleeper.identity, "SIGSTOP")
        const before = replica === undefined ? 0 : yield* channelsOf(place, replica)
        const other = replica ?? (yield* takeOverByName(patient))
        let untilMs = fromMs
        while ((yield* channelsOf(place, other)) <= before && untilMs - fromMs < STOP_MS_MAX) {
          yield* Effect.sleep(LOOK_MS)
          untilMs = yield* Clock.currentTimeMillis
        }
        if (untilMs - fromMs >= STOP_MS_MAX) patient.wrongs.push("nobody took a sleeping worker's channels")
        watch.noteDown("issuance-worker", { fromMs, untilMs })
        // Its present step ends by itself when it is a lease old: woken before that, it goes on and meets the fence.
        if (!isReplacedByName) yield* Effect.sleep(chance.between(0, leaseMs))
        const refusedBefore = refusals(sleeper)
        signal(sleeper.identity, "SIGCONT")
        yield* Effect.sleep(700)
        patient.sleeps++
        patient.refused += refusals(sleeper) - refusedBefore
        const stoppedAtMs = yield* Clock.currentTimeMillis
        const ending = yield* other.stop
        patient.stopsMs.push((yield* Clock.currentTimeMillis) - stoppedAtMs)
        if (ending !== 0) patient.wrongs.push(`the second worker, told to stop, ended with ${ending}`)
      }),
    )

const LOOK_MS = 30

/** Answers when the next strike may come. */
export const performStrike = (patient: Patient, strike: Strike): Effect.Effect<void, never, Scope.Scope> => {
  switch (strike.kind) {
    case "kill":
      return kill(strike.parts, strike.isWaitedFor)(patient)
    case "stop":
      return stopOne(strike.part)(patient)
    case "stop all":
      return stopAll(patient)
    case "sleep":
      return sleep(strike.isReplacedByName)(patient)
  }
}
