/**
 * Amounts of a Stellar asset. On the wire a decimal string with at most seven places, inside a bigint number
 * of stroops (1 unit = 10,000,000 stroops), never a float.
 *
 * Source: https://developers.stellar.org/docs/learn/fundamentals/stellar-data-structures/assets#amount-precision
 */
import { Schema, SchemaGetter } from "effect"

export const STROOPS_PER_UNIT = 10_000_000n

/** The largest amount that the ledger can hold: an int64 of stroops. */
export const STROOPS_MAX = 9_223_372_036_854_775_807n

const DECIMAL = /^(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,7})?$/

/** Stroops of a decimal string, or the reason why it is not an amount. Zero is an amount. */
export const parseAmount = (text: string): bigint | string => {
  if (!DECIMAL.test(text)) {
    if (/^-/.test(text)) return "must not be negative"
    if (/^[0-9]+\.[0-9]{8,}$/.test(text)) return "must have at most 7 decimal places"
    if (/^[0-9]{13,}(?:\.[0-9]+)?$/.test(text)) return "must be at most 922337203685.4775807"
    return 'must be a plain decimal number in a string, such as "25" or "0.5"'
  }
  const [whole = "0", fraction = ""] = text.split(".")
  const stroops = BigInt(whole) * STROOPS_PER_UNIT + BigInt(fraction.padEnd(7, "0"))
  return stroops > STROOPS_MAX ? "must be at most 922337203685.4775807" : stroops
}

/** Decimal string of stroops with seven places, as the ledger's APIs print it: 250000000n -> "25.0000000". */
export const formatAmount = (stroops: bigint): string => {
  const sign = stroops < 0n ? "-" : ""
  const absolute = stroops < 0n ? -stroops : stroops
  return `${sign}${absolute / STROOPS_PER_UNIT}.${(absolute % STROOPS_PER_UNIT).toString().padStart(7, "0")}`
}

/** A positive amount: decimal string outside, bigint stroops inside. */
export const Amount = Schema.String.annotate({
  description: "Decimal string in units of the asset, more than 0, at most 7 decimal places",
  examples: ["25", "0.5"],
  message: 'must be a decimal string, such as "25" or "0.5"',
}).pipe(
  Schema.check(
    Schema.makeFilter(
      (text) => {
        const stroops = parseAmount(text)
        if (typeof stroops === "string") return stroops
        return stroops > 0n ? undefined : "must be more than 0"
      },
      { toJsonSchema: () => ({ pattern: DECIMAL.source }) },
    ),
  ),
  Schema.decodeTo(Schema.BigInt, {
    decode: SchemaGetter.transform((text) => parseAmount(text) as bigint),
    encode: SchemaGetter.transform(formatAmount),
  }),
)
