/** What is done to a running system, drawn from a seed before it begins. */
import type { Chance } from "../support/Chance.ts"

/** The programs that the supervisor keeps. */
export type Program = "issuance-worker" | "api" | "localnet" | "postgres"

export type Strike =
  /** kill -9, of all of them at once. The next strike waits until all is well again, or meets the restart. */
  | { readonly kind: "kill"; readonly parts: ReadonlyArray<Program>; readonly isWaitedFor: boolean }
  /** An orderly stop of one program, which the supervisor starts again. */
  | { readonly kind: "stop"; readonly part: Program }
  /** An orderly stop of everything by the launcher, and a new start. */
  | { readonly kind: "stop all" }
  /** SIGSTOP of the worker beyond its lease; a second replica, or the worker's own next run, takes over meanwhile. */
  | { readonly kind: "sleep"; readonly isReplacedByName: boolean }

/** How often each program is the one that is killed. PostgreSQL takes the others along, so a few times only. */
const WEIGHTS: ReadonlyArray<readonly [Program, number]> = [
  ["issuance-worker", 40],
  ["localnet", 30],
  ["api", 25],
  ["postgres", 5],
]

const PROGRAMS = WEIGHTS.map(([program]) => program)

const drawProgram = (chance: Chance): Program => {
  let lot = chance.next() * WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [program, weight] of WEIGHTS) {
    lot -= weight
    if (lot < 0) return program
  }
  return "issuance-worker"
}

/** The share of kills that come two at once, and of those that the next strike does not wait for. */
const TWO_AT_ONCE = 0.1
const NOT_WAITED_FOR = 0.2

const drawKills = (kills: number, chance: Chance): ReadonlyArray<Strike> => {
  const strikes: Array<Strike> = PROGRAMS.slice(0, kills).map((part) => ({
    kind: "kill",
    parts: [part],
    isWaitedFor: true,
  }))
  for (let left = kills - strikes.length; left > 0; ) {
    const wanted = left > 1 && chance.next() < TWO_AT_ONCE ? 2 : 1
    const parts = new Set<Program>()
    while (parts.size < wanted) parts.add(drawProgram(chance))
    left -= parts.size
    strikes.push({ kind: "kill", parts: [...parts], isWaitedFor: chance.next() >= NOT_WAITED_FOR })
  }
  return strikes
}

const every = (kills: number, each: number): number => Math.max(1, Math.round(kills / each))

/**
 * `kills` killed processes, each program at least once where there are enough; besides, for every twenty of them a
 * sleep, for every ten an orderly stop of one program, for every fifty one of everything. In random order.
 */
export const drawStrikes = (kills: number, chance: Chance): ReadonlyArray<Strike> => {
  const sleeps = Array.from(
    { length: every(kills, 20) },
    (_, index): Strike => ({ kind: "sleep", isReplacedByName: index % 2 === 1 }),
  )
  const stops = Array.from(
    { length: every(kills, 10) },
    (): Strike => ({ kind: "stop", part: drawProgram(chance) }),
  )
  const stopsOfAll = Array.from({ length: Math.floor(kills / 50) }, (): Strike => ({ kind: "stop all" }))
  return chance.shuffle([...drawKills(kills, chance), ...sleeps, ...stops, ...stopsOfAll])
}
