/**
 * Stellar account addresses (SEP-23 strkeys).
 *
 * Source: https://github.com/stellar/stellar-protocol/blob/master/ecosystem/sep-0023.md
 */
import { StrKey } from "@stellar/stellar-sdk"
import { Schema } from "effect"

const reasonAgainst = (text: string): string | undefined => {
  if (StrKey.isValidEd25519PublicKey(text)) return undefined
  if (StrKey.isValidEd25519SecretSeed(text))
    return "is a secret key; give the public key (G...) and replace this secret"
  if (StrKey.isValidMed25519PublicKey(text))
    return "is a muxed account (M...); muxed recipients are not supported yet"
  if (StrKey.isValidContract(text)) return "is a contract (C...); contract recipients are not supported yet"
  return "must be a Stellar account address (G followed by 55 characters, with a valid checksum)"
}

/** A classic account address, G... */
export const AccountAddress = Schema.String.annotate({
  description: "A Stellar account address",
  examples: ["GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H"],
}).pipe(
  Schema.check(Schema.makeFilter(reasonAgainst, { toJsonSchema: () => ({ pattern: "^G[A-Z2-7]{55}$" }) })),
)
