/**
 * Virtual time and what happens in it: a queue of events, ordered by their time and, among those of one moment, by
 * the seed. Everything that the programs wait for is an event here: a timer, a statement, a call, the next ledger.
 *
 * Invariant: nothing else moves the programs. Between two events all fibers run until each of them waits for one.
 */
import type { Chance } from "./Chance.ts"

/** When the simulated world begins: 2027-01-15T08:00:00Z, in ms since 1970. */
export const BEGIN_MS = 1_800_000_000_000

export interface Occasion {
  readonly atMs: number
  readonly run: () => void | Promise<void>
  cancelled: boolean
}

interface Entry extends Occasion {
  readonly tie: number
  readonly order: number
}

export interface World {
  /** ms since 1970. */
  readonly nowMs: () => number
  /** ms since the world began. */
  readonly sinceBegin: () => number
  readonly after: (delayMs: number, run: Occasion["run"]) => Occasion
  /** Takes the next event, moves the time to it, and runs it; false where there is none. */
  readonly step: () => Promise<boolean>
  /** A line of the trace. */
  readonly say: (who: string, what: string) => void
  readonly trace: ReadonlyArray<string>
  /** Something that must never be. */
  readonly violate: (what: string) => void
  readonly violations: ReadonlyArray<string>
}

const isBefore = (one: Entry, other: Entry): boolean => {
  if (one.atMs !== other.atMs) return one.atMs < other.atMs
  return one.tie === other.tie ? one.order < other.order : one.tie < other.tie
}

/** A binary heap. */
const makeQueue = () => {
  const heap: Array<Entry> = []
  const at = (index: number): Entry => {
    const entry = heap[index]
    if (entry === undefined) throw new Error(`no event at ${index}`)
    return entry
  }
  const swap = (one: number, other: number): void => {
    const kept = at(one)
    heap[one] = at(other)
    heap[other] = kept
  }
  const sink = (from: number): void => {
    let index = from
    while (true) {
      const left = 2 * index + 1
      if (left >= heap.length) return
      const right = left + 1
      const least = right < heap.length && isBefore(at(right), at(left)) ? right : left
      if (!isBefore(at(least), at(index))) return
      swap(least, index)
      index = least
    }
  }
  return {
    push: (entry: Entry): void => {
      let index = heap.push(entry) - 1
      while (index > 0) {
        const parent = (index - 1) >> 1
        if (!isBefore(at(index), at(parent))) return
        swap(index, parent)
        index = parent
      }
    },
    pop: (): Entry | undefined => {
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined || heap.length === 0) return first
      heap[0] = last
      sink(0)
      return first
    },
  }
}

export const makeWorld = (chance: Chance): World => {
  const queue = makeQueue()
  const trace: Array<string> = []
  const violations: Array<string> = []
  let timeMs = 0
  let order = 0

  const say: World["say"] = (who, what) => {
    trace.push(`${(timeMs / 1000).toFixed(3).padStart(8)} ${who.padEnd(11)} ${what}`)
  }
  return {
    nowMs: () => BEGIN_MS + timeMs,
    sinceBegin: () => timeMs,
    after: (delayMs, run) => {
      const atMs = timeMs + Math.max(0, Math.ceil(delayMs))
      const entry: Entry = {
        atMs,
        run,
        cancelled: false,
        tie: chance.below(2 ** 31),
        order: ++order,
      }
      queue.push(entry)
      return entry
    },
    step: async () => {
      let next = queue.pop()
      while (next?.cancelled) next = queue.pop()
      if (next === undefined) return false
      timeMs = next.atMs
      const running = next.run()
      if (running !== undefined) await running
      return true
    },
    say,
    trace,
    violate: (what) => {
      say("VIOLATION", what)
      violations.push(what)
    },
    violations,
  }
}
