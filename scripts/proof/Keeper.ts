/**
 * Keeps the results of one run of the proof. Before anything is kept the sources are looked at once more: programs are
 * started all along, so a file that somebody changes meanwhile would put another program's results into the state.
 */
import { Effect, Schema } from "effect"
import { StartupFailure } from "../../layers/platform/StartupFailure.ts"
import { digestSources } from "./Sources.ts"
import { addBrokeOff, type Part, type Run, readState, type State } from "./State.ts"

/** A part that ended before its end: it is written down, the other parts still run. */
export class BrokeOff extends Schema.TaggedError<BrokeOff>()("BrokeOff", { said: Schema.String }) {}

export interface Keeper {
  readonly directory: string
  /** The run, and its place in the state. */
  readonly run: Run
  readonly place: number
  readonly checkout: string
}

export const known = ({ directory }: Keeper): State => readState(directory)

const sourcesChanged = new StartupFailure({
  message:
    "The sources changed while the proof ran; what was found before is kept. Put them back and run it again to go " +
    "on, or begin anew with --fresh.",
})

/** Whether the sources are still those that the run began with. */
export const isUnchanged = ({ checkout, run }: Keeper): boolean => digestSources(checkout) === run.digest

/** Keeps something, if the sources are still the same. */
export const keep = (keeper: Keeper, write: () => void): Effect.Effect<void, StartupFailure> =>
  Effect.suspend(() => (isUnchanged(keeper) ? Effect.sync(write) : Effect.fail(sourcesChanged)))

/** How long a break may turn out to be a Ctrl-C that reached the children first. */
const SECOND_THOUGHTS = "1 second"

/** Writes down that a part broke off. */
export const keepBrokeOff = (keeper: Keeper, part: Part, { said }: BrokeOff) =>
  Effect.andThen(
    Effect.sleep(SECOND_THOUGHTS),
    Effect.sync(() => {
      console.log(`${part} broke off: ${said}`)
      addBrokeOff(keeper.directory, { run: keeper.place, part, said })
      process.exitCode = 1
    }),
  )
