/** The figures of the experiments as rows for people: on a terminal by `bun run chaos`, in docs by `bun run proof`. */
import { number, type Row } from "../../../bench/Table.ts"
import type { Delays, KillFigures } from "./Kills.ts"
import type { DatabaseFigures, Rate } from "./Throughput.ts"

const delay = ({ max, p50, p99, p999 }: Delays): string => `${p50} / ${p99} / ${p999} / ${max}`

export const killRows = (figures: KillFigures): ReadonlyArray<Row> => [
  ["issuances", number(figures.issuances)],
  ["confirmed / failed for lack of a trustline", `${number(figures.confirmed)} / ${number(figures.failed)}`],
  ["payments on the ledger", `${number(figures.payments)} in ${number(figures.transactions)} transactions`],
  ["kills", `${figures.kills}: ${JSON.stringify(figures.killsOf)}`],
  ["sleeps beyond the lease, stale writes refused", `${figures.sleeps}, ${figures.staleWritesRefused}`],
  ["orderly stops, the slowest", `${figures.stops}, ${number(figures.slowestStopMs)} ms`],
  ["keys answered again", number(figures.duplicates)],
  ["requests without an answer at first", JSON.stringify(figures.misses)],
  ["ledgers, of them while nothing was down", `${figures.ledgers}, ${figures.ledgersCounted}`],
  ["seconds in all, of them with something down", `${figures.seconds}, ${figures.downSeconds}`],
  ["ledgers to the end: p50 / p99 / p99.9 / max", delay(figures.delayed)],
  ["the same with those of downtime", delay(figures.delayedInAll)],
  [`stuck for more than ${figures.ledgersMax} ledgers`, number(figures.stuck)],
  ["nova reconcile", `exit code ${figures.reconciled}`],
]

/** What was divided by nothing, or not measured, is null by the time that it is read from a file. */
export const measured = (value: number | null | undefined, places = 0): string =>
  typeof value === "number" && Number.isFinite(value) ? number(value, places) : "not measured"

/** Several measurements of the same, in their order. */
export const measuredAll = (values: ReadonlyArray<number | null>): string =>
  values.map((value) => measured(value)).join(", ")

const ratesOf = (rates: ReadonlyArray<Rate>, key: keyof Rate): string =>
  measuredAll(rates.map((rate) => rate[key]))

export const databaseRows = ({ oneKey, troubles }: DatabaseFigures): ReadonlyArray<Row> => [
  ...troubles.flatMap(
    ({ after, before, name }): ReadonlyArray<Row> =>
      (["accepted", "ended"] as const).map((key) => [
        `${name}: ${key} a second, before -> after`,
        `${ratesOf(before, key)} -> ${ratesOf(after, key)}`,
      ]),
  ),
  ["one key, a hundred requests at once", `${number(oneKey.keys)} keys, ${number(oneKey.rows)} rows`],
]
