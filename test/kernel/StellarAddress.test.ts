import { expect, it } from "bun:test"
import { Schema } from "effect"
import { AccountAddress } from "../../src/kernel/StellarAddress.ts"

const decode = Schema.decodeUnknownResult(AccountAddress)

// Strkeys from SEP-23's test cases:
// https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0023.md#tests
const ACCOUNT = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"
const MUXED = "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ"

it("takes an account", () => {
  expect(decode(ACCOUNT)).toMatchObject({ success: ACCOUNT })
})

it("says what else an address is, and never repeats a secret", () => {
  expect(String(decode(MUXED))).toContain("muxed")
  expect(String(decode("GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGA"))).toContain("checksum")
  expect(String(decode(ACCOUNT.toLowerCase()))).toContain("checksum")
  // The secret key of SEP-5's test vector 1, m/44'/148'/0':
  // https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0005.md#test-1
  const secret = "SBGWSG6BTNCKCOB3DIFBGCVMUPQFYPA2G4O34RMTB343OYPXU5DJDVMN"
  const answer = String(decode(secret))
  expect(answer).toContain("is a secret key")
  expect(answer).not.toContain(secret)
})
