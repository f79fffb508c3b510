/**
 * Signer whose distribution key is in AWS KMS and never leaves it. The keys of the channels still derive from
 * `NOVA_CHANNEL_SEED` in this process: a channel owns a few XLM for fees and none of the asset, and a key of its own
 * in KMS for each would cost a call, a quota and a bill for each.
 *
 * Invariant: each signature of KMS is verified before it is used; another key behind the same alias never signs.
 */
import { Keypair, StrKey } from "@stellar/stellar-sdk"
import { Effect, Layer, Option, type Redacted, Schedule } from "effect"
import * as Settings from "../../src/kernel/Settings.ts"
import { Signer, SignerError } from "../../src/ports/Signer.ts"
import { makeSigner, SignerUnusable } from "./CheckedSigner.ts"
import { type KmsSettings, makeKmsClient } from "./kms/KmsClient.ts"
import type { SignerPolicy } from "./SignerPolicy.ts"
import { checkAddress, readChannelKeys, readPolicy } from "./SignerSettings.ts"
import { type DailyCap, makeDailyCap } from "./SigningDays.ts"

export interface KmsKeys extends KmsSettings {
  /** Id, ARN or alias/... of the distribution key. */
  readonly keyId: string
  /** Hex. */
  readonly channelSeed: Redacted.Redacted
}

/** At the start KMS is asked again for about half a minute. */
const STARTING = Schedule.max([Schedule.exponential("500 millis"), Schedule.recurs(6)])

const make = Effect.fnUntraced(function* (given: KmsKeys, policy: SignerPolicy, dailyCap: DailyCap) {
  const client = yield* makeKmsClient(given)
  const { keyArn, publicKey } = yield* client.publicKey(given.keyId).pipe(
    Effect.retry({ schedule: STARTING, while: (error) => error.retry === "backoff" }),
    Effect.mapError((error) => new SignerUnusable({ message: error.message })),
  )
  const distributionAddress = StrKey.encodeEd25519PublicKey(publicKey)
  const verifier = Keypair.fromPublicKey(distributionAddress)

  const signDistribution = Effect.fnUntraced(function* (hash: Uint8Array) {
    const signature = yield* client.sign(keyArn, hash)
    if (signature.length === 64 && verifier.verify(hash, signature)) return signature
    return yield* new SignerError({
      reason: "unavailable",
      message: "KMS answered with bytes that are not the distribution key's signature",
    })
  })

  const keys = { distributionAddress, signDistribution, channels: yield* readChannelKeys(given.channelSeed) }
  return makeSigner(keys, policy, dailyCap)
})

/** The port from given keys under a given policy. */
export const layerKeys = (given: KmsKeys, policy: SignerPolicy, dailyCap: DailyCap) =>
  Layer.effect(Signer, make(given, policy, dailyCap))

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/

/** http://host[:port] without a path; plain HTTP on this machine only, because a session's token goes along. */
const readEndpoint = Effect.fnUntraced(function* (region: string) {
  const given = yield* Settings.kmsEndpoint
  if (Option.isNone(given)) return `https://kms.${region}.amazonaws.com`
  const url = URL.parse(given.value)
  if (url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname)))
    return url.origin
  return yield* new SignerUnusable({
    message: "AWS_KMS_ENDPOINT must be an https:// address, such as https://kms.eu-central-1.amazonaws.com",
  })
})

const readKeys = Effect.gen(function* () {
  const region = yield* Settings.awsRegion
  return {
    keyId: yield* Settings.kmsKeyId,
    region,
    endpoint: yield* readEndpoint(region),
    credentials: {
      accessKeyId: yield* Settings.awsAccessKeyId,
      secretAccessKey: yield* Settings.awsSecretAccessKey,
      sessionToken: yield* Settings.awsSessionToken,
    },
    timeoutMs: yield* Settings.kmsTimeoutMs,
    channelSeed: yield* Settings.channelSeed,
  } satisfies KmsKeys
})

/** The port from `AWS_KMS_KEY_ID` and `NOVA_CHANNEL_SEED`, with the daily cap in the database. */
export const layer = Layer.effect(
  Signer,
  Effect.gen(function* () {
    const policy = yield* readPolicy
    const dailyCap = yield* makeDailyCap(yield* Settings.signerDailyCap)
    const signer = yield* make(yield* readKeys, policy, dailyCap)
    yield* checkAddress(signer.distributionAddress, "AWS_KMS_KEY_ID")
    return signer
  }),
)
