/** What every Signer layer reads from the settings beside the distribution key. */
import { StrKey } from "@stellar/stellar-sdk"
import { Config, Effect, Option, Redacted } from "effect"
import * as Settings from "../../src/kernel/Settings.ts"
import { type ChannelKeys, makeChannelKeys } from "./ChannelKeys.ts"
import { SignerUnusable } from "./CheckedSigner.ts"
import type { SignerPolicy } from "./SignerPolicy.ts"

const refuse = (message: string) => Effect.fail(new SignerUnusable({ message }))

/** @error ConfigError; SignerUnusable for an issuer that is no account, or fees that would be bid but not signed */
export const readPolicy = Effect.gen(function* () {
  const policy: SignerPolicy = yield* Config.unwrap({
    networkPassphrase: Settings.networkPassphrase,
    assetCode: Settings.assetCode,
    assetIssuer: Settings.assetIssuer,
    transactionCapStroops: Settings.signerTransactionCap,
    feeStroopsMax: Config.map(Settings.signerFeeStroopsMax, BigInt),
  })
  if (!StrKey.isValidEd25519PublicKey(policy.assetIssuer))
    return yield* refuse("NOVA_ASSET_ISSUER is not an account: give the G... address.")
  const bidMax = yield* Settings.feeStroopsMax
  if (BigInt(bidMax) > policy.feeStroopsMax) {
    return yield* refuse(
      `STELLAR_FEE_STROOPS_MAX is ${bidMax}, but the signer signs fees up to NOVA_SIGNER_FEE_STROOPS_MAX, ${policy.feeStroopsMax}: lower the one or raise the other.`,
    )
  }
  return policy
})

/** @error SignerUnusable for a seed that is not 32 to 64 bytes in hex */
export const readChannelKeys = (seed: Redacted.Redacted): Effect.Effect<ChannelKeys, SignerUnusable> =>
  Effect.suspend(() => {
    const text = Redacted.value(seed)
    return /^(?:[0-9a-fA-F]{2}){32,64}$/.test(text)
      ? Effect.succeed(makeChannelKeys(new Uint8Array(Buffer.from(text, "hex"))))
      : refuse("NOVA_CHANNEL_SEED must be 32 to 64 bytes in hex, such as the output of: openssl rand -hex 32")
  })

/** The address that other programs were told must be the one that signs: rewards to it are refused by the API. */
export const checkAddress = Effect.fnUntraced(function* (distributionAddress: string, from: string) {
  const told = yield* Settings.distributionAddress
  if (Option.isNone(told) || told.value === distributionAddress) return
  return yield* refuse(
    `NOVA_DISTRIBUTION_ADDRESS is ${told.value}, but ${from} is the key of ${distributionAddress}: set the two for one account.`,
  )
})
