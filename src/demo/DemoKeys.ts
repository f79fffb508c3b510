/**
 * The secrets of the embedded network: an issuer, the distribution account, the channels' seed and three wallets.
 * They are made once and kept beside the data, readable by their owner only; nothing on a public network uses them.
 */
import { randomBytes } from "node:crypto"
import { Keypair } from "@stellar/stellar-sdk"
import { Schema } from "effect"

export const DemoKeys = Schema.Struct({
  issuerSecret: Schema.String,
  distributionSecret: Schema.String,
  /** Hex. */
  channelSeed: Schema.String,
  /** Two wallets with a trustline, then one without. */
  walletSecrets: Schema.Tuple([Schema.String, Schema.String, Schema.String]),
})
export type DemoKeys = typeof DemoKeys.Type

export const makeDemoKeys = (): DemoKeys => {
  const secret = () => Keypair.random().secret()
  return {
    issuerSecret: secret(),
    distributionSecret: secret(),
    channelSeed: randomBytes(32).toString("hex"),
    walletSecrets: [secret(), secret(), secret()],
  }
}
