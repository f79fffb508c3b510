/** `nova channels`: the pool, and a person's word about one of them. */
import { Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Live from "../../layers/Live.ts"
import * as Logging from "../../layers/telemetry/Logging.ts"
import { plainText } from "../kernel/PlainText.ts"
import {
  type ChannelView,
  listChannels,
  quarantineChannel,
  releaseChannel,
} from "../operate/ChannelStatus.ts"
import { amount, answer, attentionIf, json, orNotDone, table } from "./Output.ts"

const seconds = (ms: number | undefined): string => (ms === undefined ? "" : `${Math.round(ms / 1000)} s`)

const textOf = (channels: ReadonlyArray<ChannelView>): string =>
  table([
    ["ID", "STATE", "SEQUENCE", "SIGNED", "BOUND", "FOR", "XLM", "LEASE", "REASON"],
    ...channels.map((one) => [
      String(one.channelId),
      one.status,
      one.sequenceLedger === undefined ? "not on the ledger" : String(one.sequenceLedger),
      String(one.sequenceSigned),
      String(one.bound),
      seconds(one.boundForMs),
      one.balanceStroops === undefined ? "" : amount(one.balanceStroops),
      one.leaseOwner ?? "",
      one.reason ?? "",
    ]),
  ])

const id = Argument.Int("id").pipe(
  Argument.withDescription("The channel's id, as nova channels lists it"),
  Argument.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 198 }))),
)

const provided = Effect.provide([Live.database("channels"), Logging.layerTerminal])

const release = Command.make("release", { id, json }, ({ id: channelId, json: asJson }) =>
  Effect.gen(function* () {
    const changed = yield* releaseChannel(channelId)
    yield* answer(
      asJson,
      changed,
      `Channel ${channelId} is in use again. It was ${changed.before}: ${changed.reasonBefore ?? "no reason given"}`,
    )
  }).pipe(provided, orNotDone),
).pipe(Command.withDescription("Takes a quarantined or halted channel into use again"))

const quarantine = Command.make(
  "quarantine",
  {
    id,
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why, for whoever looks next: 1 to 200 characters"),
      Flag.withSchema(plainText(1, 200)),
    ),
    json,
  },
  ({ id: channelId, json: asJson, reason }) =>
    Effect.gen(function* () {
      const changed = yield* quarantineChannel(channelId, reason)
      yield* answer(asJson, { ...changed, reason }, `Channel ${channelId} is out of use: ${reason}`)
    }).pipe(provided, orNotDone),
).pipe(
  Command.withDescription(
    "Takes a channel out of use: nothing new is bound to it, what is bound keeps its place",
  ),
)

export const channelsCommand = Command.make("channels", { json }, ({ json: asJson }) =>
  Effect.gen(function* () {
    const channels = yield* listChannels()
    yield* answer(asJson, { channels }, textOf(channels))
    yield* attentionIf(channels.some(({ status }) => status !== "open"))
  }).pipe(Effect.provide([Live.operate("channels"), Logging.layerTerminal]), orNotDone),
).pipe(
  Command.withDescription(
    "Lists the channel accounts: state, sequences, what is bound to them, XLM, who holds them. Exit code 1 while one is out of use",
  ),
  Command.withSubcommands([release, quarantine]),
)
