import type { xdr } from "@stellar/stellar-sdk"
import type { Network } from "../Network.ts"
import { accountEntry, accountFlags } from "./AccountResource.ts"
import { readAddress } from "./ClaimableBalanceList.ts"
import { claimableBalanceIn } from "./ClaimableBalanceResource.ts"
import { type HorizonAnswer, type HorizonRequest, resource } from "./HorizonMessage.ts"
import { pageBody, readLimit, readOrder } from "./Page.ts"
import { invalidField } from "./Problems.ts"
import { type AssetFields, amountText, assetFields } from "./Render.ts"

const AUTHORIZED = 1
const AUTHORIZED_TO_MAINTAIN = 2

type Standing = "authorized" | "authorized_to_maintain_liabilities" | "unauthorized"

interface AssetStats {
  readonly fields: AssetFields
  readonly accounts: Record<Standing, number>
  readonly balances: Record<Standing, bigint>
  claimableCount: number
  claimableAmount: bigint
}

const standingOf = (flags: number): Standing => {
  if ((flags & AUTHORIZED) !== 0) return "authorized"
  return (flags & AUTHORIZED_TO_MAINTAIN) !== 0 ? "authorized_to_maintain_liabilities" : "unauthorized"
}

const tokenOf = ({ asset_code = "", asset_issuer = "", asset_type }: AssetFields): string =>
  `${asset_code}_${asset_issuer}_${asset_type}`

/** By code, then issuer, then type; as one text, "NOVA_" would come after "NOVA2". */
const compareTokens = (one: string, other: string): number => {
  const [left, right] = [one.replaceAll("_", " "), other.replaceAll("_", " ")]
  return left === right ? 0 : left < right ? -1 : 1
}

/** Everybody's trustlines and what waits to be claimed, by asset; an asset that nobody holds is not known. */
const statsOf = (network: Network, wanted: (fields: AssetFields) => boolean): ReadonlyArray<AssetStats> => {
  const byAsset = new Map<string, AssetStats>()
  const statsFor = (asset: xdr.Asset | xdr.TrustLineAsset): AssetStats | undefined => {
    const fields = assetFields(asset)
    if (fields.asset_code === undefined || !wanted(fields)) return undefined
    const token = tokenOf(fields)
    const known = byAsset.get(token)
    if (known !== undefined) return known
    const none = { authorized: 0, authorized_to_maintain_liabilities: 0, unauthorized: 0 }
    const nothing = { authorized: 0n, authorized_to_maintain_liabilities: 0n, unauthorized: 0n }
    const made = { fields, accounts: none, balances: nothing, claimableCount: 0, claimableAmount: 0n }
    byAsset.set(token, made)
    return made
  }
  for (const { entry } of network.entriesOf("trustline")) {
    if (entry.data.type !== "trustline") continue
    const { asset, balance, flags } = entry.data.trustLine
    const stats = statsFor(asset)
    if (stats === undefined) continue
    stats.accounts[standingOf(flags)]++
    stats.balances[standingOf(flags)] += balance
  }
  for (const stored of network.entriesOf("claimableBalance")) {
    const { amount, asset } = claimableBalanceIn(stored)
    const stats = statsFor(asset)
    if (stats === undefined) continue
    stats.claimableCount++
    stats.claimableAmount += amount
  }
  return [...byAsset.values()]
}

const issuerOf = (network: Network, address: string) => {
  const data = accountEntry(network, address)?.entry.data
  return data?.type === "account"
    ? { flags: data.account.flags, domain: data.account.homeDomain.toString() }
    : { flags: 0, domain: "" }
}

const assetResource = (network: Network, stats: AssetStats) => {
  const { accounts, balances, fields } = stats
  const { domain, flags } = issuerOf(network, fields.asset_issuer ?? "")
  return {
    _links: { toml: { href: domain === "" ? "" : `https://${domain}/.well-known/stellar.toml` } },
    ...fields,
    paging_token: tokenOf(fields),
    num_claimable_balances: stats.claimableCount,
    num_contracts: 0,
    num_liquidity_pools: 0,
    accounts,
    claimable_balances_amount: amountText(stats.claimableAmount),
    contracts_amount: amountText(0n),
    liquidity_pools_amount: amountText(0n),
    balances: {
      authorized: amountText(balances.authorized),
      authorized_to_maintain_liabilities: amountText(balances.authorized_to_maintain_liabilities),
      unauthorized: amountText(balances.unauthorized),
    },
    flags: accountFlags(flags),
  }
}

const readCode = (query: URLSearchParams): string => {
  const code = query.get("asset_code") ?? ""
  if (code === "" || /^[a-zA-Z0-9]{1,12}$/.test(code)) return code
  throw invalidField("asset_code", "not a valid asset code")
}

const readCursor = (query: URLSearchParams): string => {
  const cursor = query.get("cursor") ?? ""
  if (cursor === "" || /^[a-zA-Z0-9]{1,12}_[A-Z2-7]{56}_credit_alphanum(4|12)$/.test(cursor)) return cursor
  throw invalidField("cursor", "credit asset cursor must be CODE_ISSUER_TYPE")
}

/**
 * `/assets`, by code, issuer and type; filters asset_code and asset_issuer.
 * @throws HorizonProblem 400 naming the field
 */
export const assetList = (network: Network, request: HorizonRequest): HorizonAnswer => {
  const { query } = request
  const [code, issuer, cursor] = [readCode(query), readAddress(query, "asset_issuer"), readCursor(query)]
  const page = {
    cursor,
    after: 0n,
    limit: readLimit(query.get("limit") ?? ""),
    order: readOrder(query.get("order") ?? ""),
  }
  const sign = page.order === "asc" ? 1 : -1
  const wanted = (fields: AssetFields): boolean =>
    (code === "" || fields.asset_code === code) &&
    (issuer === "" || fields.asset_issuer === issuer) &&
    (cursor === "" || compareTokens(tokenOf(fields), cursor) * sign > 0)
  const records = statsOf(network, wanted)
    .map((stats) => assetResource(network, stats))
    .sort((one, other) => compareTokens(one.paging_token, other.paging_token) * sign)
    .slice(0, page.limit)
  return resource(pageBody(request, page, records))
}
