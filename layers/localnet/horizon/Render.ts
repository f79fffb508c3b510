import type { xdr } from "@stellar/stellar-sdk"
import { addressOf } from "./EnvelopeView.ts"

export interface Link {
  readonly href: string
  readonly templated?: true
}

/** HAL links below one base URL; an empty base makes them relative, which the direct layers use. */
export const linksOf = (baseUrl: string) => ({
  link: (path: string): Link => ({ href: baseUrl + path }),
  template: (path: string): Link => ({ href: baseUrl + path, templated: true }),
  paged: (path: string): Link => ({ href: `${baseUrl}${path}{?cursor,limit,order}`, templated: true }),
})

export type Links = ReturnType<typeof linksOf>

const STROOPS_PER_UNIT = 10_000_000n
const AMOUNT_DECIMALS = 7

/** Stroops as a decimal with exactly seven places. */
export const amountText = (stroops: bigint): string => {
  const sign = stroops < 0n ? "-" : ""
  const magnitude = stroops < 0n ? -stroops : stroops
  const fraction = (magnitude % STROOPS_PER_UNIT).toString().padStart(AMOUNT_DECIMALS, "0")
  return `${sign}${magnitude / STROOPS_PER_UNIT}.${fraction}`
}

/** Unix seconds as RFC 3339 in UTC, without a fraction. */
export const timeText = (unixSeconds: number): string =>
  new Date(unixSeconds * 1000).toISOString().replace(".000Z", "Z")

export interface AssetFields {
  readonly asset_type: string
  readonly asset_code?: string
  readonly asset_issuer?: string
}

const codeText = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0)
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("latin1")
}

/** `asset_type`, `asset_code`, `asset_issuer`. Pool shares cannot occur in this network. */
export const assetFields = (asset: xdr.Asset | xdr.TrustLineAsset | xdr.ChangeTrustAsset): AssetFields => {
  switch (asset.type) {
    case "assetTypeCreditAlphanum4":
      return {
        asset_type: "credit_alphanum4",
        asset_code: codeText(asset.alphaNum4.assetCode.toBytes()),
        asset_issuer: addressOf(asset.alphaNum4.issuer),
      }
    case "assetTypeCreditAlphanum12":
      return {
        asset_type: "credit_alphanum12",
        asset_code: codeText(asset.alphaNum12.assetCode.toBytes()),
        asset_issuer: addressOf(asset.alphaNum12.issuer),
      }
    case "assetTypeNative":
      return { asset_type: "native" }
    case "assetTypePoolShare":
      return { asset_type: "liquidity_pool_shares" }
  }
}

/** SEP-11: `native` or `CODE:ISSUER`. */
export const assetText = (asset: xdr.Asset): string => {
  const fields = assetFields(asset)
  return fields.asset_code === undefined ? "native" : `${fields.asset_code}:${fields.asset_issuer}`
}
