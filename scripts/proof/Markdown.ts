/** Tables and lists of a page: one line each, whatever the text is. */

/** Fits a cell: a table's row is one line, and a bar would end the cell. */
const cell = (text: string): string =>
  text.replace(/\s+/g, " ").replaceAll("|", "\\|").replaceAll("<", "&lt;")

export const tableOf = (heads: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n")

export const listOf = (lines: ReadonlyArray<string>): string =>
  lines.map((line) => `- ${cell(line)}`).join("\n")
