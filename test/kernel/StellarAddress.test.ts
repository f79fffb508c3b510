import { expect, it } from "bun:test"
import { Schema } from "effect"
import { accountOf, WalletAddress } from "../../src/kernel/StellarAddress.ts"

const decode = Schema.decodeUnknownResult(WalletAddress)

// Strkeys from SEP-23's test cases, all of one key:
// https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0023.md#tests
const ACCOUNT = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"
/** Numbers 0 and 9223372036854775808 (2^63). */
const MUXED = [
  "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ",
  "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK",
]

it("takes an account and a muxed account as they are", () => {
  for (const address of [ACCOUNT, ...MUXED]) expect(decode(address)).toMatchObject({ success: address })
})

it("a muxed account is paid to the account behind it", () => {
  for (const address of [ACCOUNT, ...MUXED]) expect(accountOf(address)).toBe(ACCOUNT)
})

it("refuses what SEP-23 calls invalid", () => {
  for (const address of [
    // Unused trailing bit set; a length that is no strkey's; padding; an unknown algorithm.
    "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUR",
    "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLKA",
    "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ===",
    "M47QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ",
  ])
    expect(String(decode(address))).toContain("valid checksum")
})

it("says what else an address is, and never repeats a secret", () => {
  expect(String(decode("GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGA"))).toContain("checksum")
  expect(String(decode(ACCOUNT.toLowerCase()))).toContain("checksum")
  // The secret key of SEP-5's test vector 1, m/44'/148'/0':
  // https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0005.md#test-1
  const secret = "SBGWSG6BTNCKCOB3DIFBGCVMUPQFYPA2G4O34RMTB343OYPXU5DJDVMN"
  const answer = String(decode(secret))
  expect(answer).toContain("is a secret key")
  expect(answer).not.toContain(secret)
})
