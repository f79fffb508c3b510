/** Horizon's decimal amounts as stroops: seven places (https://developers.stellar.org/docs/learn/fundamentals/lumens). */
export const stroops = (amount: string | undefined): bigint => {
  const [whole = "0", places = ""] = (amount ?? "").split(".")
  return BigInt(whole) * 10_000_000n + BigInt(places.padEnd(7, "0"))
}

export const XLM = 10_000_000n
