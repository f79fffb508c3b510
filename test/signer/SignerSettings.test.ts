/** Which signer the settings make, and the settings that make none: each is named before anything is signed. */
import { describe, expect } from "bun:test"
import { ConfigProvider, Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Wiring from "../../layers/Live.ts"
import { Signer } from "../../src/ports/Signer.ts"
import { withLayer } from "../support/it.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { distribution, issuer, keypairOf, PASSPHRASE } from "../support/TestNetwork.ts"
import { KMS_CREDENTIALS, KMS_KEY, KMS_REGION, startKms } from "./KmsStandIn.ts"
import { BATCH_KEYS, pay, SEED_HEX, transactionOf } from "./Signers.ts"

const { effect } = withLayer(TestDatabase.layer)

const base = {
  NETWORK_PASSPHRASE: PASSPHRASE,
  NOVA_ASSET_ISSUER: issuer.publicKey(),
  NOVA_CHANNEL_SEED: SEED_HEX,
}

const local = { ...base, NOVA_DISTRIBUTION_SECRET: distribution.secret() }

const kms = (url: string) => ({
  ...base,
  NOVA_SIGNER: "kms",
  AWS_KMS_ENDPOINT: url,
  AWS_KMS_KEY_ID: KMS_KEY.alias,
  AWS_REGION: KMS_REGION,
  AWS_ACCESS_KEY_ID: KMS_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KMS_CREDENTIALS.secretAccessKey,
  AWS_SESSION_TOKEN: KMS_CREDENTIALS.sessionToken,
})

const signerBy = (env: Readonly<Record<string, string>>) =>
  Effect.provide(Signer, Wiring.signer, { local: true }).pipe(
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
  )

const refusalOf = (env: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(signerBy(env)), (error) => error.message)

describe("NOVA_SIGNER", () => {
  effect("is local where nothing is said", () =>
    Effect.gen(function* () {
      expect((yield* signerBy(local)).distributionAddress).toBe(distribution.publicKey())
    }),
  )

  effect("kms takes the address from KMS, and needs no secret of it", () =>
    Effect.gen(function* () {
      const { mood, url } = yield* startKms(distribution)
      const signer = yield* signerBy(kms(url))
      expect(signer.distributionAddress).toBe(distribution.publicKey())
      yield* signer.sign((yield* transactionOf(signer, [pay()])).toXdr(), BATCH_KEYS)
      expect(mood.signed).toBe(1)
    }),
  )

  effect("caps come from the settings, in units of the asset", () =>
    Effect.gen(function* () {
      // A day on which no other test of this file has signed.
      yield* TestClock.adjust("1 day")
      const caps = { NOVA_SIGNER_TRANSACTION_CAP: "30", NOVA_SIGNER_DAILY_CAP: "40.5" }
      const signer = yield* signerBy({ ...local, ...caps })
      const sign = (amount: string) =>
        Effect.flatMap(transactionOf(signer, [pay(amount)]), (transaction) =>
          signer.sign(transaction.toXdr(), BATCH_KEYS),
        )
      expect((yield* Effect.flip(sign("30.0000001"))).rule).toBe("transaction_cap")
      yield* sign("20.5")
      yield* sign("20")
      expect((yield* Effect.flip(sign("0.0000001"))).reason).toBe("daily_cap")
    }),
  )
})

describe("does not start", () => {
  effect("with an address that is another account's", () =>
    Effect.gen(function* () {
      const other = { NOVA_DISTRIBUTION_ADDRESS: keypairOf("other").publicKey() }
      expect(yield* refusalOf({ ...local, ...other })).toContain("NOVA_DISTRIBUTION_SECRET is the key of")
      const { url } = yield* startKms(distribution)
      expect(yield* refusalOf({ ...kms(url), ...other })).toContain("AWS_KMS_KEY_ID is the key of")
    }),
  )

  effect("where fees may be bid that are not signed", () =>
    Effect.gen(function* () {
      const fees = { STELLAR_FEE_STROOPS_MAX: "2000", NOVA_SIGNER_FEE_STROOPS_MAX: "1999" }
      expect(yield* refusalOf({ ...local, ...fees })).toContain("NOVA_SIGNER_FEE_STROOPS_MAX, 1999")
      yield* signerBy({ ...local, ...fees, NOVA_SIGNER_FEE_STROOPS_MAX: "2000" })
    }),
  )

  effect("with an issuer that is no account", () =>
    Effect.gen(function* () {
      expect(yield* refusalOf({ ...local, NOVA_ASSET_ISSUER: "NOVA" })).toContain("NOVA_ASSET_ISSUER")
    }),
  )

  effect("over plain HTTP to another machine", () =>
    Effect.gen(function* () {
      for (const url of ["http://kms.example.com", "ftp://127.0.0.1", "kms.eu-central-1.amazonaws.com"])
        expect(yield* refusalOf(kms(url))).toContain("AWS_KMS_ENDPOINT")
    }),
  )

  effect("with a cap that is no amount, or too large to add up", () =>
    Effect.gen(function* () {
      for (const cap of ["0", "-1", "1e6", "400000000000.0000001"])
        expect(yield* refusalOf({ ...local, NOVA_SIGNER_DAILY_CAP: cap })).toContain("NOVA_SIGNER_DAILY_CAP")
      yield* signerBy({ ...local, NOVA_SIGNER_DAILY_CAP: "400000000000" })
    }),
  )
})
