/** `nova reconcile` */
import { Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as Live from "../../layers/Live.ts"
import * as Logging from "../../layers/telemetry/Logging.ts"
import { type ReconcileReport, reconcile } from "../operate/Reconcile.ts"
import { amount, answer, attentionIf, json, orNotDone, say, table } from "./Output.ts"

const textOf = (report: ReconcileReport): string => {
  const rows = [
    ["ledgers", `${report.sinceLedger} to ${report.ledger}`],
    ["transactions", String(report.transactions)],
    ["equal", `${report.equal} (${amount(report.equalStroops)})`],
    ["in flight", String(report.inFlight)],
    ["of lost rewards", String(report.dismissed)],
    ["no rewards", `${report.outside} (${amount(report.outsideStroops)})`],
    ["differences", String(report.differencesTotal)],
  ]
  const differences = report.differences.map(
    ({ expected, found, kind, subject }) =>
      `${kind}  ${subject}\n  expected  ${expected}\n  found     ${found}`,
  )
  const more = report.differencesTotal - report.differences.length
  return [table(rows), ...differences, ...(more > 0 ? [`... and ${more} more`] : [])].join("\n")
}

export const reconcileCommand = Command.make(
  "reconcile",
  {
    sinceLedger: Flag.Int("since-ledger").pipe(
      Flag.withDescription(
        "The first ledger that is compared; the first one that the database knows when absent",
      ),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4_294_967_295 }))),
      Flag.optional,
    ),
    json,
  },
  ({ json: asJson, sinceLedger }) =>
    Effect.gen(function* () {
      const report = yield* reconcile({ sinceLedger: Option.getOrUndefined(sinceLedger), say })
      yield* answer(asJson, report, textOf(report))
      yield* attentionIf(report.differencesTotal > 0)
    }).pipe(Effect.provide([Live.operate("reconcile"), Logging.layerTerminal]), orNotDone),
).pipe(
  Command.withDescription(
    "Compares every reward's payment on the ledger with the confirmed rows, both ways and to the stroop, and the books with themselves. Exit code 0: equal; 1: differences, each printed with both sides; 2: could not be done",
  ),
  Command.withShortDescription("Compares ledger and database, payment by payment"),
)
