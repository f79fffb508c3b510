/** `nova pause` and `nova resume`: the switch of all issuing. */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as Live from "../../layers/Live.ts"
import * as Logging from "../../layers/telemetry/Logging.ts"
import { IssuanceControl } from "../issuance/IssuanceControl.ts"
import { plainText } from "../kernel/PlainText.ts"
import { answer, json, orNotDone } from "./Output.ts"

const provided = (program: string) => Effect.provide([Live.issuanceControl(program), Logging.layerTerminal])

export const pauseCommand = Command.make(
  "pause",
  {
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why, for whoever looks next: 1 to 200 characters"),
      Flag.withSchema(plainText(1, 200)),
    ),
    json,
  },
  ({ json: asJson, reason }) =>
    Effect.gen(function* () {
      const inForce = yield* IssuanceControl.use((control) => control.pause(reason))
      yield* answer(
        asJson,
        { paused: true, reason: inForce },
        inForce === reason
          ? "Issuing is paused: nothing new is paid until nova resume. Rewards are accepted all the same."
          : `Issuing was paused already, and keeps its reason: ${inForce}`,
      )
    }).pipe(provided("pause"), orNotDone),
).pipe(
  Command.withDescription(
    "Pauses all issuing; what is in flight is brought to its verdict. An earlier pause keeps its reason",
  ),
  Command.withShortDescription("Pauses all issuing"),
)

export const resumeCommand = Command.make("resume", { json }, ({ json: asJson }) =>
  Effect.gen(function* () {
    const reason = yield* IssuanceControl.use((control) => control.resume)
    yield* answer(
      asJson,
      { paused: false, reasonBefore: reason ?? null },
      reason === undefined ? "Issuing was not paused." : `Issuing goes on. It was paused: ${reason}`,
    )
  }).pipe(provided("resume"), orNotDone),
).pipe(
  Command.withDescription(
    "Lets issuing go on after the worker paused it because the ledger refused the program, or a person did",
  ),
  Command.withShortDescription("Lets issuing go on after a pause"),
)
