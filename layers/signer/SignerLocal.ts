/** Signer with the secrets in this process's memory, from the settings. */
import { Keypair } from "@stellar/stellar-sdk"
import { Effect, Layer, Redacted } from "effect"
import * as Settings from "../../src/kernel/Settings.ts"
import { Signer } from "../../src/ports/Signer.ts"
import { makeSigner, SignerUnusable } from "./CheckedSigner.ts"
import type { SignerPolicy } from "./SignerPolicy.ts"
import { checkAddress, readChannelKeys, readPolicy } from "./SignerSettings.ts"
import { type DailyCap, makeDailyCap } from "./SigningDays.ts"

export interface SignerSecrets {
  /** S... */
  readonly distributionSecret: Redacted.Redacted
  /** Hex. */
  readonly channelSeed: Redacted.Redacted
}

const readDistribution = (secret: Redacted.Redacted) =>
  Effect.try({
    try: () => Keypair.fromSecret(Redacted.value(secret)),
    catch: () =>
      new SignerUnusable({
        message: "NOVA_DISTRIBUTION_SECRET is not a Stellar secret key: give the S... key.",
      }),
  })

const make = Effect.fnUntraced(function* (secrets: SignerSecrets, policy: SignerPolicy, dailyCap: DailyCap) {
  const distribution = yield* readDistribution(secrets.distributionSecret)
  const keys = {
    distributionAddress: distribution.publicKey(),
    signDistribution: (hash: Uint8Array) => Effect.sync(() => distribution.sign(hash)),
    channels: yield* readChannelKeys(secrets.channelSeed),
  }
  return makeSigner(keys, policy, dailyCap)
})

/** The port from given secrets under a given policy. */
export const layerSecrets = (secrets: SignerSecrets, policy: SignerPolicy, dailyCap: DailyCap) =>
  Layer.effect(Signer, make(secrets, policy, dailyCap))

/** The port from `NOVA_DISTRIBUTION_SECRET` and `NOVA_CHANNEL_SEED`, with the daily cap in the database. */
export const layer = Layer.effect(
  Signer,
  Effect.gen(function* () {
    const policy = yield* readPolicy
    const secrets = {
      distributionSecret: yield* Settings.distributionSecret,
      channelSeed: yield* Settings.channelSeed,
    }
    const signer = yield* make(secrets, policy, yield* makeDailyCap(yield* Settings.signerDailyCap))
    yield* checkAddress(signer.distributionAddress, "NOVA_DISTRIBUTION_SECRET")
    return signer
  }),
)
