/**
 * What is to be made of a proof: what speaks against the claims, and what it does not show. Whatever is in neither list
 * was run and held, so a result that is bad, missing or cut short must be in one of them.
 */
import type { PlantedBugResult, Proof } from "./Proof.ts"
import { type BrokeOffRow, PARTS } from "./State.ts"
import { throughputsOf } from "./Throughput.ts"

/** The first, and how many follow: where one reward is paid twice, much else is wrong too. */
export const inShort = ([first = "", ...others]: ReadonlyArray<string>): string =>
  others.length === 0 ? first : `${first}, and ${others.length} more`

const SAID_MAX = 300

/** proof.json has all of what was said. */
const brokeOffSentence = ({ part, run, said }: BrokeOffRow): string =>
  `${part}, run ${run + 1}, did not end: ${said.length > SAID_MAX ? `${said.slice(0, SAID_MAX)} ...` : said}`

/** Seen by a seed that sees nothing without it. */
export const isCaught = ({ afterSeeds, without }: PlantedBugResult): boolean =>
  afterSeeds !== undefined && without !== "violation too"

const uncaughtSentence = ({ afterSeeds, name, seed, seedsMax }: PlantedBugResult): string =>
  afterSeeds === undefined
    ? `planted bug ${name} was not caught in ${seedsMax} seeds`
    : `planted bug ${name} was not caught: seed ${seed} fails without it too`

const uncaughtOf = ({ planted }: Proof) => (planted?.bugs ?? []).filter((bug) => !isCaught(bug))

const plantedFailures = (proof: Proof): ReadonlyArray<string> =>
  uncaughtOf(proof)
    .filter(({ seenBy }) => seenBy === undefined)
    .map(uncaughtSentence)

const killFailures = ({ kills }: Proof): ReadonlyArray<string> => [
  ...(kills?.figures.violations ?? []).map((violation) => `kills: ${violation}`),
  ...((kills?.figures.stuck ?? 0) > 0 ? [`kills: ${kills?.figures.stuck} rewards were stuck`] : []),
]

const databaseFailures = ({ database }: Proof): ReadonlyArray<string> => [
  ...(database?.figures.violations ?? []).map((violation) => `database: ${violation}`),
  ...throughputsOf(database?.figures.troubles ?? []).flatMap(({ kind, name, ratio, verdict }) => {
    if (verdict === "broken")
      return [`database: after "${name}" ${ratio.toFixed(2)} of what was ${kind} before`]
    return verdict === "not measured" ? [`database: what was ${kind} around "${name}" was not measured`] : []
  }),
]

/** What speaks against the claims, a sentence each. What did not run is no failure, but no proof either. */
export const failuresOf = (proof: Proof): ReadonlyArray<string> => [
  ...(proof.seeds?.failures ?? []).map(({ seed, violations }) => `seed ${seed}: ${inShort(violations)}`),
  ...plantedFailures(proof),
  ...killFailures(proof),
  ...databaseFailures(proof),
  ...proof.brokeOff.map(brokeOffSentence),
]

/** How many seeds a whole proof has, at least. */
export const SEEDS_WHOLE = 5_000

/** What was not run, or not to its end: nothing is known of it. A whole proof has none of these. */
export const notRunOf = (proof: Proof): ReadonlyArray<string> => {
  const { planted, seeds } = proof
  const whole = Math.max(seeds?.wanted ?? 0, SEEDS_WHOLE)
  const missing = whole - (seeds?.ran ?? 0)
  const notTried = planted?.notTried ?? []
  return [
    ...PARTS.filter((part) => proof[part] === undefined),
    ...(seeds !== undefined && missing > 0 ? [`${missing} of ${whole} seeds`] : []),
    ...(notTried.length > 0 ? [`planted bugs ${notTried.join(", ")}`] : []),
  ]
}

/** What was run and tells neither the one nor the other. */
export const notShownOf = (proof: Proof): ReadonlyArray<string> => [
  ...uncaughtOf(proof).flatMap((bug) =>
    bug.seenBy === undefined ? [] : [`${uncaughtSentence(bug)}; ${bug.seenBy} sees it`],
  ),
  ...throughputsOf(proof.database?.figures.troubles ?? [])
    .filter(({ verdict }) => verdict === "not shown")
    .map(({ kind, name }) => `database: whether as much is ${kind} after "${name}", which the machine hides`),
]

/** Whatever the proof does not show, for whichever reason. */
export const gapsOf = (proof: Proof): ReadonlyArray<string> => [...notRunOf(proof), ...notShownOf(proof)]

/**
 * Said where the sources are not those of the proof, from their digest alone: it is checked that the page is what it
 * would be now.
 */
export const staleSentence = (proof: Proof, digestNow: string): string | undefined =>
  proof.runs.every(({ digest }) => digest === digestNow)
    ? undefined
    : `The sources have changed since this was run; run it again before you rely on it for them.`
