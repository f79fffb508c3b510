/** `nova treasury status` */
import { Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as Live from "../../layers/Live.ts"
import * as Logging from "../../layers/telemetry/Logging.ts"
import { type TreasuryStatus, treasuryStatus } from "../operate/Treasury.ts"
import { amount, answer, attentionIf, json, orNotDone, table } from "./Output.ts"

const textOf = (status: TreasuryStatus): string => {
  const [code = ""] = status.asset.split(":")
  const { lowest } = status.xlm
  return table([
    ["issuing", status.paused === null ? "goes on" : `is paused: ${status.paused}`],
    ["account", status.distributionAddress],
    ["ledger", String(status.ledger)],
    ["balance", `${amount(status.balanceStroops)} ${code}`],
    ["in flight", `${amount(status.submittedStroops)} ${code}`],
    ["pending", `${amount(status.pendingStroops)} ${code}`],
    ["held", `${amount(status.heldStroops)} ${code}`],
    ["free", `${amount(status.freeStroops)} ${code}`],
    ["unclaimed", `${amount(status.openBalancesStroops)} ${code}`],
    ["paid a day", `${amount(status.paidPerDayStroops)} ${code}, by the last 7 days`],
    ["lasts", status.daysLeft === undefined ? "unknown: nothing was paid" : `${status.daysLeft} days`],
    [
      "XLM",
      `${amount(status.xlm.distributionStroops)}, above its reserve ${amount(status.xlm.distributionAvailableStroops)}`,
    ],
    [
      "XLM of channels",
      lowest === undefined
        ? amount(status.xlm.channelsStroops)
        : `${amount(status.xlm.channelsStroops)}, least to spend: channel ${lowest.channelId} with ${amount(lowest.availableStroops)}`,
    ],
  ])
}

const status = Command.make(
  "status",
  {
    warnDays: Flag.Int("warn-days").pipe(
      Flag.withDescription("Exit code 1 where the free amount lasts for fewer days"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3_650 }))),
      Flag.optional,
    ),
    json,
  },
  ({ json: asJson, warnDays }) =>
    Effect.gen(function* () {
      const treasury = yield* treasuryStatus()
      yield* answer(asJson, treasury, textOf(treasury))
      const isShort =
        treasury.daysLeft !== undefined && treasury.daysLeft < Option.getOrElse(warnDays, () => 0)
      yield* attentionIf(treasury.paused !== null || treasury.freeStroops < 0n || isShort)
    }).pipe(Effect.provide([Live.operate("treasury"), Logging.layerTerminal]), orNotDone),
).pipe(
  Command.withDescription(
    "What there is to pay with, what is promised of it, and how long the rest will last. Exit code 1 where more is promised than there is, or issuing is paused",
  ),
)

export const treasuryCommand = Command.make("treasury").pipe(
  Command.withDescription("The distribution account's balances and promises"),
  Command.withSubcommands([status]),
)
