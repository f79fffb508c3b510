/** What is said of the lines of many seeds: the digest over all their traces, and how one of them is replayed. */
import { createHash } from "node:crypto"
import type { ShardLine } from "./Shard.ts"

/** The same for the same seeds and sources, however often they are run: of every line of every trace. */
export const digestOf = (lines: ReadonlyArray<Pick<ShardLine, "seed" | "traceHash">>): string => {
  const hashes = lines.toSorted((one, other) => one.seed - other.seed).map(({ traceHash }) => traceHash)
  return createHash("sha256").update(hashes.join()).digest("hex").slice(0, 16)
}

/** The command that replays a seed, with the faults that it needs where they are known. */
export const replayOf = ({ minimal, seed }: Pick<ShardLine, "seed" | "minimal">): string =>
  [
    `bun run simulate --seed ${seed}`,
    ...(minimal === undefined ? [] : [`--faults ${minimal.map(([place]) => place).join(",")}`]),
    "--trace",
  ].join(" ")
