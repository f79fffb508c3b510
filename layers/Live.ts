/**
 * The wiring of the programs against real servers: PostgreSQL, Stellar RPC and Horizon over HTTP, keys from the
 * settings. `npm start` runs the same programs by the same wiring; it only starts the servers first (Embedded.ts).
 * Test.ts is the same list for tests.
 */
import { Config, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { FetchHttpClient } from "effect/http"
import { Campaigns } from "../src/campaign/Campaigns.ts"
import { Batches } from "../src/issuance/Batches.ts"
import { Channels } from "../src/issuance/Channels.ts"
import { DatabaseIdentity } from "../src/issuance/DatabaseIdentity.ts"
import { FeeMarket } from "../src/issuance/FeeMarket.ts"
import { IssuanceControl } from "../src/issuance/IssuanceControl.ts"
import { IssuanceSettings } from "../src/issuance/IssuanceSettings.ts"
import { PaidModes, UnpayableWallets } from "../src/issuance/IssueRequest.ts"
import { LedgerCapacity } from "../src/issuance/LedgerCapacity.ts"
import { LedgerShare } from "../src/issuance/LedgerShare.ts"
import { Preflight } from "../src/issuance/Preflight.ts"
import { UpkeepSettings } from "../src/issuance/UpkeepSettings.ts"
import * as Settings from "../src/kernel/Settings.ts"
import { Merchants } from "../src/merchant/Merchants.ts"
import * as Database from "./db/Database.ts"
import * as HorizonHttp from "./horizon/HorizonHttp.ts"
import * as RedisMemory from "./redis/RedisMemory.ts"
import * as SignerKms from "./signer/SignerKms.ts"
import * as SignerLocal from "./signer/SignerLocal.ts"
import * as SignerPublic from "./signer/SignerPublic.ts"
import * as SorobanRpcHttp from "./soroban-rpc/SorobanRpcHttp.ts"
import * as SubmissionHorizon from "./submission/SubmissionHorizon.ts"
import * as SubmissionRpc from "./submission/SubmissionRpc.ts"
import * as Logging from "./telemetry/Logging.ts"

/** The rail that envelopes are handed in by. */
const submission = Layer.unwrap(
  Effect.map(Settings.submitVia, (via) =>
    via === "rpc"
      ? SubmissionRpc.layer.pipe(Layer.provide(SorobanRpcHttp.layer))
      : SubmissionHorizon.layer.pipe(Layer.provide(HorizonHttp.layer)),
  ),
)

/** Ports to the Stellar network. */
export const network = Layer.mergeAll(SorobanRpcHttp.layer, HorizonHttp.layer, submission).pipe(
  Layer.provide(FetchHttpClient.layer),
)

/** The asset's issuer and the distribution account are no customers. */
const unpayableWallets = Layer.effect(
  UnpayableWallets,
  Effect.gen(function* () {
    const issuer = yield* Config.option(Settings.assetIssuer)
    const distribution = yield* Settings.distributionAddress
    return new Set([...Option.toArray(issuer), ...Option.toArray(distribution)])
  }),
)

const paidModes = Layer.effect(
  PaidModes,
  Effect.map(Settings.keyMode, (mode) => new Set([mode])),
)

/** The keys, by NOVA_SIGNER. */
export const signer = Layer.unwrap(
  Effect.map(Settings.signerKind, (kind) =>
    kind === "kms" ? SignerKms.layer.pipe(Layer.provide(FetchHttpClient.layer)) : SignerLocal.layer,
  ),
)
export const redis = RedisMemory.layer
export const random = SecureRandom.layerWebCrypto
export const httpClient = FetchHttpClient.layer
export const logging = Logging.layer

/** Ports of the merchants' API, and the wallets that no reward may go to. */
export const api = (program: string) =>
  Layer.mergeAll(Database.layer(program), redis, random, unpayableWallets, paidModes)

/** The services of the merchant's side, with the ports that they need. */
export const merchantServices = (program: string) =>
  Layer.mergeAll(Merchants.layer, Campaigns.layer).pipe(
    Layer.provideMerge(Layer.mergeAll(Database.layer(program), redis, random)),
  )

/** What the issuance worker needs. */
export const issuance = (program: string) =>
  Layer.mergeAll(
    Channels.layer,
    Batches.layer,
    IssuanceControl.layer,
    FeeMarket.layer,
    LedgerShare.layer,
    Preflight.layer,
  ).pipe(
    Layer.provideMerge(Layer.merge(LedgerCapacity.layer, DatabaseIdentity.layer)),
    Layer.provideMerge(Layer.mergeAll(IssuanceSettings.layer, UpkeepSettings.layer)),
    // The signer keeps its daily cap in the database.
    Layer.provideMerge(Layer.mergeAll(network, signer, random)),
    Layer.provideMerge(Database.layer(program)),
  )

/** The switch that pauses and resumes issuing. */
export const issuanceControl = (program: string) =>
  IssuanceControl.layer.pipe(Layer.provide(Database.layerPatient(program)))

/** Who pays, without any key where NOVA_DISTRIBUTION_ADDRESS says it. */
const payer = Layer.unwrap(
  Effect.map(Settings.distributionAddress, (address) =>
    Option.isSome(address) ? SignerPublic.layerAddress(address.value) : signer,
  ),
)

/** What an operator's commands need; they may take their time. */
const operateWith = (program: string, keys: typeof signer | typeof payer) =>
  Layer.mergeAll(Channels.layer, IssuanceControl.layer).pipe(
    Layer.provideMerge(IssuanceSettings.layer),
    Layer.provideMerge(Layer.mergeAll(network, keys, random)),
    Layer.provideMerge(Database.layerPatient(program)),
  )

/** For commands that read, and for those that only write to the database. */
export const operate = (program: string) => operateWith(program, payer)

/** For recovery, which derives every channel's address from the seed. */
export const recovery = (program: string) =>
  DatabaseIdentity.layer.pipe(Layer.provideMerge(operateWith(program, signer)))

/** Only the database, for migrations. */
export const database = (program: string) => Database.layerPatient(program)
