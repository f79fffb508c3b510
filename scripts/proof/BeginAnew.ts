/**
 * Begins a proof anew. Whatever was found before is gone then, save for a line in the history: failures of the very
 * same sources do not vanish because somebody tried again until it passed.
 */
import { makeProof } from "./Proof.ts"
import { addBegunAnew, type BegunAnew, clearState, readState, type State } from "./State.ts"
import { failuresOf } from "./Verdict.ts"

/** The line for the history; undefined where there was nothing to remember. */
const lineOf = (state: State): BegunAnew | undefined => {
  const { brokeOff, database, kills, planted, runs, seeds } = state
  const [run] = runs
  const isEmpty = [...seeds, ...planted, ...brokeOff].length === 0
  if (run === undefined || (isEmpty && kills === undefined && database === undefined)) return undefined
  return {
    digest: run.digest,
    commit: run.commit,
    startedAt: run.startedAt,
    failures: failuresOf(makeProof(state)),
    seeds: seeds.length,
    planted: planted.map(({ name }) => name),
    ...(kills === undefined ? {} : { kills: kills.seed }),
    ...(database === undefined ? {} : { database: database.seed }),
  }
}

/** For whoever holds all parts. */
export const beginAnew = (directory: string): void => {
  const line = lineOf(readState(directory))
  if (line !== undefined) addBegunAnew(directory, line)
  clearState(directory)
}
