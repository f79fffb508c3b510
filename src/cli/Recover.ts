/** `nova recover` */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as Live from "../../layers/Live.ts"
import * as Logging from "../../layers/telemetry/Logging.ts"
import { recover } from "../operate/Recover.ts"
import type { RecoverReport } from "../operate/RecoverReport.ts"
import { amount, answer, attentionIf, json, orNotDone, say, table } from "./Output.ts"

const contradictionLines = ({ contradictions }: RecoverReport) =>
  contradictions.map(
    ({ issuanceId, operationIndex, status, txHash }) =>
      `CONTRADICTION  ${issuanceId} is ${status} here, but ${txHash}:${operationIndex} paid it`,
  )

const nextSteps = (report: RecoverReport): ReadonlyArray<string> => [
  ...(report.contradictions.length > 0
    ? [
        "A contradiction is settled by nova review match: then the reward is confirmed, and its budget taken again.",
      ]
    : []),
  ...(report.unmatchedPayments > 0 ? ["nova review lists the payments that belong to no row."] : []),
  ...report.outOfUse.map(
    ({ id, reason, status }) =>
      `Channel ${id} is ${status} (${reason ?? "no reason given"}): nova channels release ${id} takes it into use again.`,
  ),
  ...(report.dryRun ? ["This was a dry run: nothing was changed."] : ["Issuing may start again."]),
]

const textOf = (report: RecoverReport): string => {
  const { transactions } = report
  const rows = [
    ["channels read", String(report.channels.length)],
    [
      "transactions",
      `${transactions.matched} matched, ${transactions.unmatched} unmatched, ${transactions.failed} failed, ${transactions.known} known`,
    ],
    ["confirmed", String(report.confirmed)],
    ["failed", String(report.failed)],
    ["taken back", String(report.reclaimed)],
    ["released", String(report.released)],
    ["held for review", String(report.held)],
    ["payments of no row", `${report.unmatchedPayments} (${amount(report.unmatchedStroops)})`],
    ["up to ledger", String(report.ledger)],
    ["pause lifted", report.pauseLifted ?? "no"],
  ]
  return [table(rows), ...contradictionLines(report), "", ...nextSteps(report)].join("\n")
}

export const recoverCommand = Command.make(
  "recover",
  {
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Says what would be done, and changes nothing"),
      Flag.withDefault(false),
    ),
    json,
  },
  ({ dryRun, json: asJson }) =>
    Effect.gen(function* () {
      const report = yield* recover({ dryRun, say })
      yield* answer(asJson, report, textOf(report))
      yield* attentionIf(
        report.unmatchedPayments > 0 || report.contradictions.length > 0 || report.outOfUse.length > 0,
      )
    }).pipe(Effect.provide([Live.recovery("recover"), Logging.layerTerminal]), orNotDone),
).pipe(
  Command.withDescription(
    "Brings a database that is older than the ledger (a restored dump) up to it, so that issuing may go on. Every issuance worker must be stopped. Exit code 0: done; 1: done, and something is left for a person; 2: not done, and may be run again",
  ),
  Command.withShortDescription("Brings a database that is older than the ledger up to it"),
)
