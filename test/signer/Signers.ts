/** Both layers of the Signer for one distribution key, and the transactions that they may sign. */
import { Account, Asset, Claimant, Keypair, Memo, Operation, TransactionBuilder } from "@stellar/stellar-sdk"
import { Clock, Effect, Layer, Option, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import * as SignerKms from "../../layers/signer/SignerKms.ts"
import * as SignerLocal from "../../layers/signer/SignerLocal.ts"
import type { SignerPolicy } from "../../layers/signer/SignerPolicy.ts"
import { noDailyCap } from "../../layers/signer/SigningDays.ts"
import { channelKey, distributionKey, type Signer, type SignerKey } from "../../src/ports/Signer.ts"
import { asset, distribution, issuer, keypairOf, PASSPHRASE } from "../support/TestNetwork.ts"
import { KMS_CREDENTIALS, KMS_KEY, KMS_REGION, startKms } from "./KmsStandIn.ts"

export const SEED_HEX = "07".repeat(32)
export const wallet = keypairOf("wallet one").publicKey()
export const stranger = keypairOf("stranger")

export const policy: SignerPolicy = {
  networkPassphrase: PASSPHRASE,
  assetCode: "NOVA",
  assetIssuer: issuer.publicKey(),
  transactionCapStroops: 1_000_0000000n,
  feeStroopsMax: 10_000n,
}

export const localLayer = (dailyCap = noDailyCap) =>
  SignerLocal.layerSecrets(
    { distributionSecret: Redacted.make(distribution.secret()), channelSeed: Redacted.make(SEED_HEX) },
    policy,
    dailyCap,
  )

export const kmsLayer = (
  url: string,
  given: { readonly timeoutMs?: number; readonly secretAccessKey?: string; readonly keyId?: string } = {},
  dailyCap = noDailyCap,
) =>
  SignerKms.layerKeys(
    {
      keyId: given.keyId ?? KMS_KEY.alias,
      region: KMS_REGION,
      endpoint: url,
      credentials: {
        accessKeyId: Redacted.make(KMS_CREDENTIALS.accessKeyId),
        secretAccessKey: Redacted.make(given.secretAccessKey ?? KMS_CREDENTIALS.secretAccessKey),
        sessionToken: Option.some(Redacted.make(KMS_CREDENTIALS.sessionToken)),
      },
      timeoutMs: given.timeoutMs ?? 5_000,
      channelSeed: Redacted.make(SEED_HEX),
    },
    policy,
    dailyCap,
  ).pipe(Layer.provide(FetchHttpClient.layer))

export const local = Effect.succeed(localLayer())
export const kms = Effect.map(startKms(distribution), ({ url }) => kmsLayer(url))

/** Anything about a transaction that a test turns. */
export interface Plan {
  readonly source?: string
  readonly fee?: number
  readonly memo?: Memo
  readonly passphrase?: string
  readonly secondsAhead?: number
  /** No time bound at all. */
  readonly endless?: boolean
  readonly ledgerMax?: number
  readonly minSequence?: string
}

export type Operations = ReadonlyArray<Parameters<TransactionBuilder["addOperation"]>[0]>

const SEQUENCE = "12884901888"

export const transactionOf = Effect.fnUntraced(function* (
  signer: Signer["Service"],
  operations: Operations,
  plan: Plan = {},
) {
  const nowSeconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const builder = new TransactionBuilder(
    new Account(plan.source ?? (yield* signer.channelAddress(0)), SEQUENCE),
    {
      fee: String(plan.fee ?? 100),
      networkPassphrase: plan.passphrase ?? PASSPHRASE,
      memo: plan.memo ?? Memo.hash(new Uint8Array(32).fill(9)),
      timebounds: {
        minTime: 0,
        maxTime: plan.endless === true ? 0 : nowSeconds + (plan.secondsAhead ?? 60),
      },
      ...(plan.ledgerMax === 0 ? {} : { ledgerbounds: { minLedger: 0, maxLedger: plan.ledgerMax ?? 100 } }),
      ...(plan.minSequence === undefined ? {} : { minAccountSequence: plan.minSequence }),
    },
  )
  for (const operation of operations) builder.addOperation(operation)
  return builder.build()
})

export const pay = (amount = "25", given: { asset?: Asset; source?: string; to?: string } = {}) =>
  Operation.payment({
    source: given.source ?? distribution.publicKey(),
    destination: given.to ?? wallet,
    asset: given.asset ?? asset,
    amount,
  })

export const notBefore = (seconds: number) =>
  Claimant.predicateNot(Claimant.predicateBeforeAbsoluteTime(String(seconds)))

export const leave = (claimants?: ReadonlyArray<Claimant>) =>
  Operation.createClaimableBalance({
    source: distribution.publicKey(),
    asset,
    amount: "25",
    claimants: [
      ...(claimants ?? [new Claimant(wallet), new Claimant(distribution.publicKey(), notBefore(2_000_000))]),
    ],
  })

export const giveLumens = (to: string, amount = "5") => pay(amount, { asset: Asset.native(), to })

export const createChannel = (address: string, amount = "5"): Operations => [
  Operation.beginSponsoringFutureReserves({ source: distribution.publicKey(), sponsoredId: address }),
  Operation.createAccount({
    source: distribution.publicKey(),
    destination: address,
    startingBalance: amount,
  }),
  Operation.endSponsoringFutureReserves({ source: address }),
]

/** The keys of a batch's transaction. */
export const BATCH_KEYS: ReadonlyArray<SignerKey> = [channelKey(0), distributionKey]

/** A fee bump of an envelope, unsigned. */
export const bumpOf = (feeSource: string, feeStroops: number, innerXdr: string) => {
  const inner = TransactionBuilder.fromXdr(innerXdr, PASSPHRASE)
  if ("innerTransaction" in inner) throw new Error("the inner one is a fee bump")
  return TransactionBuilder.buildFeeBumpTransaction(feeSource, String(feeStroops), inner, PASSPHRASE)
}

export const isSignedBy = (envelopeXdr: string, address: string): boolean => {
  const envelope = TransactionBuilder.fromXdr(envelopeXdr, PASSPHRASE)
  const keypair = Keypair.fromPublicKey(address)
  return envelope.signatures.some((one) => keypair.verify(envelope.hash(), one.signature))
}
