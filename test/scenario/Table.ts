/** The results for people: one line a step. */
import type { StepResult } from "./Chapter.ts"

const lineOf = ({ failure, ms, name, source }: StepResult): ReadonlyArray<string> => [
  `  ${failure === undefined ? "ok    " : "FAILED"} ${String(ms).padStart(6)} ms  ${name}`,
  ...(failure === undefined ? [] : [`           ${failure}`, `           expected by: ${source}`]),
]

export const scenarioTable = (results: ReadonlyArray<StepResult>): string => {
  const chapters = [...new Set(results.map(({ chapter }) => chapter))]
  return chapters
    .flatMap((chapter) => ["", chapter, ...results.filter((one) => one.chapter === chapter).flatMap(lineOf)])
    .join("\n")
}
