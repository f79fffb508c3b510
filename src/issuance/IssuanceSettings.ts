/** What the issuance programs need to know about network, asset and limits, read once from the settings. */
import { Context, Effect, Layer, Option } from "effect"
import * as Settings from "../kernel/Settings.ts"

export class IssuanceSettings extends Context.Service<
  IssuanceSettings,
  {
    readonly networkPassphrase: string
    /** Whose rewards are paid here: those of live keys on the public network, of test keys everywhere else. */
    readonly mode: "live" | "test"
    readonly assetCode: string
    readonly assetIssuer: string
    /** Undefined: chosen from the network's capacity. */
    readonly channels: number | undefined
    /** Lowest bid for an operation, in stroops. */
    readonly baseFeeStroops: number
    /** Highest fee for an operation, in stroops. */
    readonly feeStroopsMax: number
    /** Rewards in one transaction at most, 1 to 100. */
    readonly paymentsMax: number
    /** Of the asset in one transaction, stroops: the signer refuses more. */
    readonly transactionStroopsMax: bigint
    /** Ledgers for which an envelope may apply after the ledger that was known when it was signed. */
    readonly envelopeLedgers: number
    readonly pollIntervalMs: number
    /** The same for each run of one worker, and another for each other worker. */
    readonly workerName: string | undefined
    readonly leaseMs: number
  }
>()("nova/issuance/IssuanceSettings") {
  static readonly layer = Layer.effect(
    IssuanceSettings,
    Effect.gen(function* () {
      return IssuanceSettings.of({
        networkPassphrase: yield* Settings.networkPassphrase,
        mode: yield* Settings.keyMode,
        assetCode: yield* Settings.assetCode,
        assetIssuer: yield* Settings.assetIssuer,
        channels: Option.getOrUndefined(yield* Settings.channels),
        baseFeeStroops: yield* Settings.baseFeeStroops,
        feeStroopsMax: yield* Settings.feeStroopsMax,
        paymentsMax: yield* Settings.paymentsMax,
        transactionStroopsMax: yield* Settings.signerTransactionCap,
        envelopeLedgers: yield* Settings.envelopeLedgers,
        pollIntervalMs: yield* Settings.pollIntervalMs,
        leaseMs: yield* Settings.leaseMs,
        workerName: Option.getOrUndefined(yield* Settings.workerName),
      })
    }),
  )
}
