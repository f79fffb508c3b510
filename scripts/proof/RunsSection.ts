/** The page's first answer: whether anything speaks against the claims, what is missing, and on what it was run. */
import { listOf, tableOf } from "./Markdown.ts"
import type { Proof } from "./Proof.ts"
import type { BegunAnew, Run } from "./State.ts"
import { failuresOf, gapsOf, staleSentence } from "./Verdict.ts"

const runRow = (run: Run, place: number): ReadonlyArray<string> => {
  const { bun, cores, cpu, load_before, memory_gib, platform } = run.hardware
  return [
    String(place + 1),
    run.startedAt,
    `${run.commit}${run.isDirty ? ", with changes that were not committed" : ""}`,
    String(run.jobs),
    `${cpu}, ${cores} cores, ${memory_gib} GiB, ${platform}, Bun ${bun}, load before ${load_before}`,
  ]
}

const anewRow = (row: BegunAnew): ReadonlyArray<string> => {
  const experiments = [
    ...(row.kills === undefined ? [] : [`kills of seed ${row.kills}`]),
    ...(row.database === undefined ? [] : [`database of seed ${row.database}`]),
  ]
  return [
    row.startedAt,
    row.commit,
    [`${row.seeds} seeds`, `${row.planted.length} planted bugs`, ...experiments].join(", "),
    row.failures.length === 0 ? "none" : `**${row.failures.join("; ")}**`,
  ]
}

const anewTable = (rows: ReadonlyArray<BegunAnew>): ReadonlyArray<string> =>
  rows.length === 0
    ? []
    : [
        `**Begun anew on the same sources: ${rows.length} times.** Nothing of what was found before counts above:`,
        tableOf(
          ["first begun", "commit", "what was there", "what spoke against the claims"],
          rows.map(anewRow),
        ),
      ]

const nothingAgainst = ({ begunAnew }: Proof): string =>
  begunAnew.every(({ failures }) => failures.length === 0)
    ? "Nothing that ran speaks against the claims."
    : "Nothing that ran since it was last begun anew speaks against the claims; before, on the same sources, something did."

const verdict = (proof: Proof, digestNow: string): string => {
  const failures = failuresOf(proof)
  const gaps = gapsOf(proof)
  const stale = staleSentence(proof, digestNow)
  return [
    ...(stale === undefined ? [] : [`**${stale}**`]),
    failures.length === 0
      ? nothingAgainst(proof)
      : `**Results that speak against the claims: ${failures.length}**\n\n${listOf(failures)}`,
    ...(gaps.length === 0 ? [] : [`**Not run, or not shown:**\n\n${listOf(gaps)}`]),
    ...anewTable(proof.begunAnew),
  ].join("\n\n")
}

export const runsSection = (proof: Proof, digestNow: string): string => `## What was run

${verdict(proof, digestNow)}

${tableOf(["run", "begun", "commit", "processes", "hardware"], proof.runs.map(runRow))}

All of it is of the same sources (\`src\`, \`layers\`, \`migrations\`, the experiments and what they stand on), whose
SHA-256 digest is \`${proof.runs[0]?.digest ?? "none"}\`.
`
