/** Rows for people: names on the left, figures on the right. */
export type Row = readonly [name: string, figure: string]

export const table = (title: string, rows: ReadonlyArray<Row>): string => {
  const width = Math.max(...rows.map(([name]) => name.length))
  const figures = Math.max(...rows.map(([, figure]) => figure.length))
  const lines = rows.map(([name, figure]) => `  ${name.padEnd(width)}  ${figure.padStart(figures)}`)
  return ["", title, ...lines].join("\n")
}

/** 12,345.7 */
export const number = (value: number, places = 0): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places })
