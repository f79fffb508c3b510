/** Signer with the secrets in this process's memory, from the settings. */
import { Keypair, TransactionBuilder } from "@stellar/stellar-sdk"
import { Config, Effect, Layer, Redacted, Schema } from "effect"
import * as Settings from "../../src/kernel/Settings.ts"
import { Signer, SignerError, type SignerKey } from "../../src/ports/Signer.ts"
import { channelKeypair } from "./ChannelKeys.ts"

/** SLIP-10 hardened indexes end here. */
const CHANNEL_INDEX_MAX = 0x7fffffff

/** A secret in the settings cannot be used; the sentence names the setting, never the value. */
export class SecretUnusable extends Schema.TaggedError<SecretUnusable>()("SecretUnusable", {
  message: Schema.String,
}) {}

export interface SignerSecrets {
  readonly networkPassphrase: string
  /** S... */
  readonly distributionSecret: Redacted.Redacted
  /** Hex. */
  readonly channelSeed: Redacted.Redacted
}

const readDistribution = (secret: Redacted.Redacted) =>
  Effect.try({
    try: () => Keypair.fromSecret(Redacted.value(secret)),
    catch: () =>
      new SecretUnusable({
        message: "NOVA_DISTRIBUTION_SECRET is not a Stellar secret key: give the S... key.",
      }),
  })

const readSeed = (seed: Redacted.Redacted) =>
  Effect.suspend(() => {
    const text = Redacted.value(seed)
    return /^(?:[0-9a-fA-F]{2}){32,64}$/.test(text)
      ? Effect.succeed(new Uint8Array(Buffer.from(text, "hex")))
      : Effect.fail(
          new SecretUnusable({
            message:
              "NOVA_CHANNEL_SEED must be 32 to 64 bytes in hex, such as the output of: openssl rand -hex 32",
          }),
        )
  })

/** The port from given secrets. */
export const layerSecrets = (secrets: SignerSecrets) =>
  Layer.effect(
    Signer,
    Effect.gen(function* () {
      const distribution = yield* readDistribution(secrets.distributionSecret)
      const seed = yield* readSeed(secrets.channelSeed)
      const channels = new Map<number, Keypair>()

      const keypairOf = Effect.fnUntraced(function* (key: SignerKey) {
        if (key._tag === "Distribution") return distribution
        const { index } = key
        if (!Number.isInteger(index) || index < 0 || index > CHANNEL_INDEX_MAX) {
          return yield* new SignerError({
            reason: "unknown_channel",
            message: `There is no channel ${index}`,
          })
        }
        const keypair = channels.get(index) ?? channelKeypair(seed, index)
        channels.set(index, keypair)
        return keypair
      })

      const sign = Effect.fn("Signer.sign")(function* (envelopeXdr: string, keys: ReadonlyArray<SignerKey>) {
        const keypairs = yield* Effect.forEach(keys, keypairOf)
        return yield* Effect.try({
          try: () => {
            const transaction = TransactionBuilder.fromXdr(envelopeXdr, secrets.networkPassphrase)
            transaction.sign(...keypairs)
            return { envelopeXdr: transaction.toXdr(), hash: Buffer.from(transaction.hash()).toString("hex") }
          },
          catch: () => new SignerError({ reason: "refused", message: "The envelope is not a transaction" }),
        })
      })

      return Signer.of({
        distributionAddress: distribution.publicKey(),
        channelAddress: (index) =>
          Effect.map(keypairOf({ _tag: "Channel", index }), (keypair) => keypair.publicKey()),
        sign,
      })
    }),
  )

/** The port from `NOVA_DISTRIBUTION_SECRET` and `NOVA_CHANNEL_SEED`. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    return layerSecrets(
      yield* Config.unwrap({
        networkPassphrase: Settings.networkPassphrase,
        distributionSecret: Settings.distributionSecret,
        channelSeed: Settings.channelSeed,
      }),
    )
  }),
)
