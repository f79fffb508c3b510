/** What is said of the lines of many seeds: the digest over all their traces, and how one of them is replayed. */
import { createHash } from "node:crypto"
import type { ShardLine } from "./Shard.ts"

/** The same for the same seeds and sources, however often they are run: of every line of every trace. */
export const digestOf = (lines: ReadonlyArray<Pick<ShardLine, "seed" | "traceHash">>): string => {
  const hashes = lines.toSorted((one, other) => one.seed - other.seed).map(({ traceHash }) => traceHash)
  return createHash("sha256").update(hashes.join()).digest("hex").slice(0, 16)
}

/** What a violation is one of: "I3" of "I3: r7 is lost"; all of it where it has no such beginning. */
export const kindOf = (violation: string): string => violation.split(":", 1)[0] ?? violation

/** A list of nothing needs the sign: as two words it would take the next option for its own. */
const optionOf = (places: ReadonlyArray<number>): string =>
  places.length === 0 ? "--faults=" : `--faults ${places.join(",")}`

type Replayed = Pick<ShardLine, "seed" | "faults" | "minimal" | "planted">

/** The command that replays a seed as it was run: its planted bug, and its faults where they are not all of them. */
export const replayOf = ({ faults, minimal, planted, seed }: Replayed): string => {
  const places = minimal?.map(([place]) => place) ?? faults
  return [
    "npm run simulate --",
    ...(planted === undefined ? [] : [`--planted --bugs ${planted}`]),
    `--seed ${seed}`,
    ...(places === undefined ? [] : [optionOf(places)]),
    "--trace",
  ].join(" ")
}

/** What is said of a seed that fails: its first violation, how many follow, and how it is replayed. */
export const failureOf = (line: Replayed & Pick<ShardLine, "violations" | "trace">): string => {
  const [first = "", ...others] = line.violations
  const where = line.trace === undefined ? "; --trace shows them" : ", all in the trace"
  const more = others.length === 0 ? "" : ` (and ${others.length} more${where})`
  return `seed ${line.seed} fails: ${first}${more} | replay: ${replayOf(line)}`
}
