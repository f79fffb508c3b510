/**
 * The first run of the embedded profile: accounts on the ledger, a demo merchant with a key, and a campaign. What
 * was made is in the demo file; where that exists nothing is made again.
 */
import { Asset, Keypair } from "@stellar/stellar-sdk"
import { Effect, Redacted } from "effect"
import { Campaigns } from "../campaign/Campaigns.ts"
import { STROOPS_PER_UNIT } from "../kernel/Amount.ts"
import { Merchants } from "../merchant/Merchants.ts"
import { prepareDemoAccounts } from "./DemoAccounts.ts"
import type { DemoFile } from "./DemoFile.ts"
import type { DemoKeys } from "./DemoKeys.ts"

/** The demo campaign's budget: 1,000,000 NOVA. */
const BUDGET_STROOPS = 1_000_000n * STROOPS_PER_UNIT

export interface FirstRunPlace {
  readonly apiUrl: string
  readonly horizonUrl: string
  readonly rpcUrl: string
  readonly networkPassphrase: string
  readonly assetCode: string
}

/** Makes everything and answers with what belongs into the demo file. */
export const firstRun = Effect.fn("FirstRun")(function* (place: FirstRunPlace, keys: DemoKeys) {
  const merchants = yield* Merchants
  const campaigns = yield* Campaigns
  const issuer = Keypair.fromSecret(keys.issuerSecret).publicKey()
  const asset = new Asset(place.assetCode, issuer)
  yield* prepareDemoAccounts({ networkPassphrase: place.networkPassphrase, asset }, keys)
  const merchant = yield* merchants.create({ name: "Demo merchant" })
  const apiKey = yield* merchants.createKey({ merchantId: merchant.id, mode: "test" })
  const campaign = yield* campaigns.create(
    { merchantId: merchant.id, mode: "test" },
    { name: "Welcome rewards", budgetStroops: BUDGET_STROOPS },
  )
  const [first, second, third] = keys.walletSecrets
  const addressOf = (secret: string) => Keypair.fromSecret(secret).publicKey()
  return {
    apiUrl: place.apiUrl,
    apiKey: Redacted.value(apiKey),
    campaignId: campaign.id,
    wallets: [addressOf(first), addressOf(second), addressOf(third)],
    horizonUrl: place.horizonUrl,
    rpcUrl: place.rpcUrl,
    networkPassphrase: place.networkPassphrase,
    asset: `${place.assetCode}:${issuer}`,
  } satisfies DemoFile
})
