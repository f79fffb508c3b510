/**
 * The port, whoever keeps the distribution key: decode, decide, count, sign.
 *
 * Invariant: the distribution key signs only after the policy has allowed the transaction and its sum is counted
 * under the day's cap, and only the hash that was computed from what the policy saw. Every Signer layer is this one
 * with another `signDistribution`, so none can leave a step out.
 */
import { Keypair, xdr } from "@stellar/stellar-sdk"
import { Clock, Effect, Metric, Schema } from "effect"
import { Signer, SignerError, type SignerKey } from "../../src/ports/Signer.ts"
import type { ChannelKeys } from "./ChannelKeys.ts"
import { type DecodedEnvelope, decodeEnvelope } from "./DecodeEnvelope.ts"
import { decide, type SignerAccounts, type SignerPolicy, type SignerRule } from "./SignerPolicy.ts"
import type { DailyCap } from "./SigningDays.ts"

/** The settings do not make a signer; the sentence names the setting, never a secret. */
export class SignerUnusable extends Schema.TaggedError<SignerUnusable>()("SignerUnusable", {
  message: Schema.String,
}) {}

const refusedTotal = Metric.counter("signer.refused_total", {
  description: "Transactions that the signer refused, by rule",
  incremental: true,
})

export interface Keys {
  /** G... */
  readonly distributionAddress: string
  /** Ed25519 signature (64 bytes) of the distribution account over a transaction hash (32 bytes). */
  readonly signDistribution: (hash: Uint8Array) => Effect.Effect<Uint8Array, SignerError>
  readonly channels: ChannelKeys
}

const refuse = Effect.fnUntraced(function* (rule: SignerRule, message: string, hash: string | undefined) {
  yield* Metric.update(Metric.withAttributes(refusedTotal, { rule }), 1)
  // A program of ours never asks for this: a fault in it, or somebody else's hand.
  yield* Effect.logError("signature refused").pipe(Effect.annotateLogs({ rule, refusal: message, hash }))
  return yield* new SignerError({
    reason: "refused",
    rule,
    message: `The transaction is not signed (${rule}): ${message}`,
  })
})

const decorate = (address: string, signature: Uint8Array): xdr.DecoratedSignature =>
  new xdr.DecoratedSignature({ hint: Keypair.fromPublicKey(address).signatureHint(), signature })

/** A failure after which the keeper of the key has certainly made no signature. */
const madeNone = ({ reason }: SignerError): boolean => reason === "throttled" || reason === "denied"

/** Counts the sum and has the distribution key sign; what certainly was not signed is not counted. */
const signCounted = (keys: Keys, dailyCap: DailyCap, hash: Uint8Array, assetStroops: bigint) =>
  Effect.gen(function* () {
    const giveBack = assetStroops > 0n ? yield* dailyCap.count(assetStroops) : Effect.void
    const signature = yield* keys
      .signDistribution(hash)
      .pipe(Effect.tapError((error) => (madeNone(error) ? giveBack : Effect.void)))
    return decorate(keys.distributionAddress, signature)
  })

export const makeSigner = (keys: Keys, policy: SignerPolicy, dailyCap: DailyCap): Signer["Service"] => {
  const { channels, distributionAddress } = keys
  const accounts: SignerAccounts = {
    distributionAddress,
    isChannel: (address) => channels.indexOf(address) !== undefined,
  }

  const channelOf = Effect.fnUntraced(function* (index: number) {
    const keypair = channels.keypair(index)
    if (keypair !== undefined) return keypair
    return yield* new SignerError({ reason: "unknown_channel", message: `There is no channel ${index}` })
  })

  const check = Effect.fnUntraced(function* (decoded: DecodedEnvelope, asked: ReadonlySet<string>) {
    const nowSeconds = BigInt(Math.floor((yield* Clock.currentTimeMillis) / 1000))
    const decision = decide(decoded, asked, policy, accounts, nowSeconds)
    if (decision._tag === "Allowed") return decision
    return yield* refuse(decision.rule, decision.message, Buffer.from(decoded.hash).toString("hex"))
  })

  const sign = Effect.fn("Signer.sign")(function* (envelopeXdr: string, asked: ReadonlyArray<SignerKey>) {
    const pairs = yield* Effect.forEach(
      new Map(asked.map((key) => [key._tag === "Channel" ? key.index : key._tag, key])).values(),
      (key) => (key._tag === "Channel" ? channelOf(key.index) : Effect.succeed(undefined)),
    )
    const decoded = decodeEnvelope(envelopeXdr, policy.networkPassphrase)
    if (decoded === undefined)
      return yield* refuse("envelope", "it is no transaction and no fee bump", undefined)
    const { hash } = decoded
    const addresses = new Set(pairs.map((pair) => pair?.publicKey() ?? distributionAddress))
    const { assetStroops } = yield* check(decoded, addresses)
    const signatures = yield* Effect.forEach(pairs, (pair) =>
      pair === undefined
        ? signCounted(keys, dailyCap, hash, assetStroops)
        : Effect.sync(() => pair.signDecorated(hash)),
    )
    return { envelopeXdr: decoded.signedBy(signatures), hash: Buffer.from(hash).toString("hex") }
  })

  return Signer.of({
    distributionAddress,
    channelAddress: (index) => Effect.map(channelOf(index), (keypair) => keypair.publicKey()),
    sign,
  })
}
