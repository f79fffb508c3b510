/**
 * The wiring of the programs for tests and simulation: the same list as Live.ts, on an embedded network in this
 * process without sockets, with given keys and settings. The database comes from outside: a test has one of its own.
 */
import { Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Batches } from "../src/issuance/Batches.ts"
import { Channels } from "../src/issuance/Channels.ts"
import { DatabaseIdentity } from "../src/issuance/DatabaseIdentity.ts"
import { FeeMarket } from "../src/issuance/FeeMarket.ts"
import { IssuanceControl } from "../src/issuance/IssuanceControl.ts"
import { IssuanceSettings } from "../src/issuance/IssuanceSettings.ts"
import { LedgerCapacity } from "../src/issuance/LedgerCapacity.ts"
import { LedgerShare } from "../src/issuance/LedgerShare.ts"
import { Preflight } from "../src/issuance/Preflight.ts"
import { UpkeepSettings } from "../src/issuance/UpkeepSettings.ts"
import * as HorizonLocalnet from "./horizon/HorizonLocalnet.ts"
import type { Network } from "./localnet/Network.ts"
import * as RedisMemory from "./redis/RedisMemory.ts"
import * as SignerLocal from "./signer/SignerLocal.ts"
import type { SignerPolicy } from "./signer/SignerPolicy.ts"
import { noDailyCap } from "./signer/SigningDays.ts"
import * as SorobanRpcLocalnet from "./soroban-rpc/SorobanRpcLocalnet.ts"
import * as SubmissionHorizon from "./submission/SubmissionHorizon.ts"
import * as SubmissionRpc from "./submission/SubmissionRpc.ts"

/** Ports to the Stellar network, and the rail that envelopes are handed in by. */
export const network = (localnet: Network, submitVia: "rpc" | "horizon" = "rpc") => {
  const rails = Layer.mergeAll(SorobanRpcLocalnet.layer(localnet), HorizonLocalnet.layer(localnet))
  return submitVia === "rpc"
    ? Layer.provideMerge(SubmissionRpc.layer, rails)
    : Layer.provideMerge(SubmissionHorizon.layer, rails)
}

/** The real policy with its usual limits; `dailyCap` is there for a test of it. */
export const signer = (
  given: SignerLocal.SignerSecrets & Omit<SignerPolicy, "transactionCapStroops" | "feeStroopsMax">,
  dailyCap = noDailyCap,
) =>
  SignerLocal.layerSecrets(
    given,
    { ...given, transactionCapStroops: 1_000_000_0000000n, feeStroopsMax: 1_000_000n },
    dailyCap,
  )
export const redis = RedisMemory.layer
export const random = SecureRandom.layerWebCrypto

/** As the settings' defaults have it. */
const UPKEEP = UpkeepSettings.of({ topUpBelowStroops: 2_0000000n, topUpToStroops: 5_0000000n })

/** What the issuance worker needs, but for SqlClient, the network and the Signer. */
export const issuance = (settings: IssuanceSettings["Service"], upkeep = UPKEEP) =>
  Layer.mergeAll(
    Channels.layer,
    Batches.layer,
    IssuanceControl.layer,
    FeeMarket.layer,
    LedgerShare.layer,
    Preflight.layer,
  ).pipe(
    Layer.provideMerge(Layer.merge(LedgerCapacity.layer, DatabaseIdentity.layer)),
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.succeed(IssuanceSettings, settings),
        Layer.succeed(UpkeepSettings, upkeep),
        random,
      ),
    ),
  )
