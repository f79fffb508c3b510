/** argv -> program: the list of nova's commands. They are in src/cli, which with this file alone sees layers. */
import { Effect } from "effect"
import { CliError, Command } from "effect/cli"
import { runningSettings } from "../layers/embedded/Home.ts"
import * as Platform from "../layers/platform/Platform.ts"
import { channelsCommand } from "./cli/Channels.ts"
import { demoCommand } from "./cli/Demo.ts"
import { localnetCommand } from "./cli/Localnet.ts"
import { merchantCommand } from "./cli/Merchant.ts"
import { migrateCommand } from "./cli/Migrate.ts"
import { CommandEnd, NOT_DONE } from "./cli/Output.ts"
import { pauseCommand, resumeCommand } from "./cli/Pause.ts"
import { allCommand, apiCommand, workerCommand } from "./cli/Programs.ts"
import { reconcileCommand } from "./cli/Reconcile.ts"
import { recoverCommand } from "./cli/Recover.ts"
import { reviewCommand } from "./cli/Review.ts"
import { treasuryCommand } from "./cli/Treasury.ts"

const nova = Command.make("nova").pipe(
  Command.withDescription(
    "Nova Rewards: from a merchant's request to a payment on the Stellar ledger, exactly once",
  ),
  Command.withSubcommands([
    allCommand,
    apiCommand,
    workerCommand,
    localnetCommand,
    migrateCommand,
    demoCommand,
    // An operator beside `npm start` need not say where its parts are.
    merchantCommand.pipe(Command.provide(runningSettings)),
    pauseCommand.pipe(Command.provide(runningSettings)),
    resumeCommand.pipe(Command.provide(runningSettings)),
    treasuryCommand.pipe(Command.provide(runningSettings)),
    channelsCommand.pipe(Command.provide(runningSettings)),
    reconcileCommand.pipe(Command.provide(runningSettings)),
    recoverCommand.pipe(Command.provide(runningSettings)),
    reviewCommand.pipe(Command.provide(runningSettings)),
  ]),
)

/** Arguments that are wrong have been said already; a command that was not run was not done. */
const isUsageError = (error: unknown) => error instanceof CliError.ShowHelp && error.errors.length > 0

Platform.runMain(
  Command.run(nova, { version: "0.1.0" }).pipe(
    Effect.catchIf(isUsageError, () => Effect.fail(new CommandEnd({ message: "", code: NOT_DONE }))),
    Effect.provide(Platform.services),
  ),
)
