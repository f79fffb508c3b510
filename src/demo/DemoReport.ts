/** What came of a demo run, as a table for people. */
import { Schema } from "effect"

/** The fields of an issuance that the demo looks at. */
export const DemoIssuance = Schema.Struct({
  id: Schema.String,
  status: Schema.String,
  reason: Schema.NullOr(Schema.String),
  txHash: Schema.NullOr(Schema.String),
  createdAt: Schema.String,
  confirmedAt: Schema.NullOr(Schema.String),
})

export interface DemoReport {
  readonly accepted: number
  /** Requests that were answered with an issuance known before. */
  readonly duplicates: number
  readonly issuances: ReadonlyArray<typeof DemoIssuance.Type>
}

/** The value below which `share` (0 to 1) of the sorted values lie; nearest rank. */
export const percentile = (sorted: ReadonlyArray<number>, share: number): number | undefined =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]

const seconds = (ms: number | undefined): string => (ms === undefined ? "-" : `${(ms / 1000).toFixed(2)} s`)

const countByReason = (report: DemoReport, status: string): string => {
  const counts = new Map<string, number>()
  for (const issuance of report.issuances) {
    if (issuance.status !== status) continue
    const reason = issuance.reason ?? "no reason"
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const reasons = [...counts].map(([reason, count]) => `${reason} ${count}`).join(", ")
  return reasons === "" ? "0" : `${total} (${reasons})`
}

/** Label and value of each line. */
export const reportRows = (report: DemoReport): ReadonlyArray<readonly [label: string, value: string]> => {
  const confirmed = report.issuances.filter(({ status }) => status === "confirmed")
  const settleMs = confirmed
    .map(({ createdAt, confirmedAt }) => Date.parse(confirmedAt ?? "") - Date.parse(createdAt))
    .sort((a, b) => a - b)
  const transactions = new Set(confirmed.map(({ txHash }) => txHash)).size
  return [
    ["accepted", String(report.accepted)],
    ["duplicates", `${report.duplicates} (answered with the first one's id, paid nothing)`],
    ["confirmed", String(confirmed.length)],
    ["failed", countByReason(report, "failed")],
    ["held", countByReason(report, "held")],
    ["transactions", `${transactions} that paid`],
    [
      "accept to confirmed",
      `p50 ${seconds(percentile(settleMs, 0.5))}, p95 ${seconds(percentile(settleMs, 0.95))}`,
    ],
  ]
}

export const formatReport = (report: DemoReport): string => {
  const rows = reportRows(report)
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join("\n")
}
