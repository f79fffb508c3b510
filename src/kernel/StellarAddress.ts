/**
 * Stellar account addresses (SEP-23 strkeys): an account (G...), or a muxed account (M...), which is an account with a
 * number of the holder's own that says whom among its customers is meant.
 *
 * Invariant: what is counted and checked of a wallet is its account (`accountOf`). Counting by address would give one
 * account as many caps as there are numbers.
 *
 * Source: https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0023.md
 */
import { StrKey } from "@stellar/stellar-sdk"
import { Schema } from "effect"

const reasonAgainst = (text: string): string | undefined => {
  if (StrKey.isValidEd25519PublicKey(text) || StrKey.isValidMed25519PublicKey(text)) return undefined
  if (StrKey.isValidEd25519SecretSeed(text))
    return "is a secret key; give the public key (G...) and replace this secret"
  if (StrKey.isValidContract(text)) return "is a contract (C...); contract recipients are not supported yet"
  return "must be a Stellar account address (G followed by 55 characters, or M followed by 68, with a valid checksum)"
}

/** Whom a reward goes to: G... or M... */
export const WalletAddress = Schema.String.annotate({
  description: "A Stellar account address (G...), or a muxed one (M..., SEP-23), which pays the same account",
  examples: ["GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H"],
}).pipe(
  Schema.check(
    Schema.makeFilter(reasonAgainst, {
      toJsonSchema: () => ({ pattern: "^(?:G[A-Z2-7]{55}|M[A-Z2-7]{68})$" }),
    }),
  ),
)

// An ed25519 public key; the number of a muxed account follows it (SEP-23, section "Specification").
const KEY_BYTES = 32

/** The account (G...) that is paid: the address itself, or the account of a muxed address. Takes a valid address. */
export const accountOf = (address: string): string =>
  address.startsWith("M")
    ? StrKey.encodeEd25519PublicKey(StrKey.decodeMed25519PublicKey(address).subarray(0, KEY_BYTES))
    : address
