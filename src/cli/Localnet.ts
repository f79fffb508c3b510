/** `nova localnet` */
import { Option } from "effect"
import { Command, Flag } from "effect/cli"
import { FAULT_PROFILE_NAMES, localnet } from "../../layers/embedded/LocalnetProgram.ts"
import * as Settings from "../kernel/Settings.ts"

const localnetFlags = {
  ledgerFile: Flag.String("ledger-file").pipe(
    Flag.withDescription("Keeps the ledger in this file; in memory when absent"),
    Flag.optional,
  ),
  port: Flag.Int("port").pipe(
    Flag.withDescription("Port for everything, 0 for a free one; LOCALNET_PORT or 8000 when absent"),
    Flag.filter(
      (port) => port >= 0 && port <= 65_535,
      () => "a port, 0 to 65535",
    ),
    Flag.withFallbackConfig(Settings.localnetPort),
  ),
  closeIntervalMs: Flag.Int("close-interval-ms").pipe(
    Flag.withDescription("Milliseconds between ledgers; LOCALNET_CLOSE_INTERVAL_MS or 1000 when absent"),
    Flag.filter(
      (ms) => ms >= 1,
      () => "1 or more",
    ),
    Flag.withFallbackConfig(Settings.localnetCloseIntervalMs),
  ),
  profile: Flag.Literals("profile", ["mainnet", "testnet"]).pipe(
    Flag.withDescription("Operations in a ledger: mainnet's 1,000 or testnet's 200"),
    Flag.withDefault("mainnet" as const),
  ),
  passphrase: Flag.String("passphrase").pipe(
    Flag.withDescription("The network's passphrase; NETWORK_PASSPHRASE when absent"),
    Flag.withFallbackConfig(Settings.networkPassphrase),
  ),
  faultSeed: Flag.String("fault-seed").pipe(
    Flag.withDescription("Injects faults by this seed (any text); the same seed gives the same faults"),
    Flag.optional,
  ),
  faultProfile: Flag.Literals("fault-profile", FAULT_PROFILE_NAMES).pipe(
    Flag.withDescription("Which faults: mixed when only a seed is given; a seed is drawn when only this is"),
    Flag.optional,
  ),
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withDescription("Says one line at the start, not a screen"),
    Flag.withDefault(false),
  ),
}

export const localnetCommand = Command.make(
  "localnet",
  localnetFlags,
  ({ faultProfile, faultSeed, ...flags }) => {
    const faults = { profile: Option.getOrUndefined(faultProfile), seed: Option.getOrUndefined(faultSeed) }
    return localnet({ ...flags, ledgerFile: Option.getOrUndefined(flags.ledgerFile), faults })
  },
).pipe(Command.withDescription("The embedded Stellar network alone: Horizon, RPC and friendbot on one port"))
