import { StrKey, type xdr } from "@stellar/stellar-sdk"
import type { Network } from "../Network.ts"
import { accountExtensions, sponsorOf } from "./AccountExtensions.ts"
import { accountResource } from "./AccountResource.ts"
import { readAddress } from "./ClaimableBalanceList.ts"
import { addressOf } from "./EnvelopeView.ts"
import { type HorizonAnswer, type HorizonRequest, resource } from "./HorizonMessage.ts"
import { pageBody, readLimit, readOrder } from "./Page.ts"
import { invalidAccountsParams, invalidField } from "./Problems.ts"
import { assetFields, type Links } from "./Render.ts"
import { signerName } from "./SignerKeys.ts"

/** Addresses of the accounts that a filter finds, in no order, each possibly more than once. */
type Find = (network: Network) => ReadonlyArray<string>

const accountsOf = (network: Network): ReadonlyArray<xdr.AccountEntry> =>
  network
    .entriesOf("account")
    .flatMap(({ entry: { data } }) => (data.type === "account" ? [data.account] : []))

/** A key without weight signs nothing: a master key of weight 0 is no signer (xdr.AccountEntry.SignerSummary). */
const isSignedBy = (account: xdr.AccountEntry, signer: string): boolean => {
  const [master = 0] = account.thresholds.toBytes()
  if (master > 0 && addressOf(account.accountId) === signer) return true
  return account.signers.some(({ key }) => signerName(key).key === signer)
}

const signedBy =
  (signer: string): Find =>
  (network) =>
    accountsOf(network)
      .filter((account) => isSignedBy(account, signer))
      .map(({ accountId }) => addressOf(accountId))

/** Whoever has a line, whatever its balance and whether or not it is authorized. */
const trusting =
  (asset: string): Find =>
  (network) =>
    network.entriesOf("trustline").flatMap(({ entry: { data } }) => {
      if (data.type !== "trustline") return []
      const { asset_code, asset_issuer } = assetFields(data.trustLine.asset)
      return `${asset_code}:${asset_issuer}` === asset ? [addressOf(data.trustLine.accountId)] : []
    })

const ownerOf = ({ data }: xdr.LedgerEntry): ReadonlyArray<string> => {
  if (data.type === "account") return [addressOf(data.account.accountId)]
  if (data.type === "trustline") return [addressOf(data.trustLine.accountId)]
  return data.type === "data" ? [addressOf(data.data.accountId)] : []
}

/** The account itself, a signer, a trustline or a data entry of it (history.Q AccountsForSponsor). */
const sponsoredBy =
  (sponsor: string): Find =>
  (network) => {
    const bySigner = accountsOf(network)
      .filter((account) => accountExtensions(account).signerSponsors.includes(sponsor))
      .map(({ accountId }) => addressOf(accountId))
    const byEntry = (["account", "trustline", "data"] as const)
      .flatMap((kind) => network.entriesOf(kind))
      .filter(({ entry }) => sponsorOf(entry) === sponsor)
      .flatMap(({ entry }) => ownerOf(entry))
    return [...bySigner, ...byEntry]
  }

const ASSET_REASON =
  'Asset must be the string "native" or a string of the form "Code:IssuerAccountID" for issued assets.'

/** CODE:ISSUER (SEP-11); `native` is every account and no filter. */
const readAsset = (query: URLSearchParams): string => {
  const text = query.get("asset") ?? ""
  if (text === "") return text
  if (text === "native") throw invalidField("asset", "you can't filter by asset: native")
  const [, issuer = ""] = /^[a-zA-Z0-9]{1,12}:(.+)$/.exec(text) ?? []
  if (StrKey.isValidEd25519PublicKey(issuer)) return text
  throw invalidField("asset", ASSET_REASON)
}

const readPool = (query: URLSearchParams): string => {
  const text = query.get("liquidity_pool") ?? ""
  if (text === "" || /^[\da-f]{64}$/.test(text)) return text
  throw invalidField("liquidity_pool", `${text} does not validate as sha256`)
}

const readFilter = (query: URLSearchParams): Find => {
  const [signer, sponsor] = [readAddress(query, "signer"), readAddress(query, "sponsor")]
  const [asset, pool] = [readAsset(query), readPool(query)]
  const given: ReadonlyArray<Find> = [
    ...(signer === "" ? [] : [signedBy(signer)]),
    ...(sponsor === "" ? [] : [sponsoredBy(sponsor)]),
    ...(asset === "" ? [] : [trusting(asset)]),
    // This network has no pools, so nobody holds a share of one.
    ...(pool === "" ? [] : [() => []]),
  ]
  const [only, another] = given
  if (only === undefined || another !== undefined) throw invalidAccountsParams()
  return only
}

/**
 * `/accounts`, by address: those that a signer signs for, that trust an asset, or that a sponsor pays for
 * (Horizon's actions.AccountsQuery; the cursor is compared and not validated, as there).
 * @throws HorizonProblem 400 naming the field, or `invalid_accounts_params` unless there is exactly one filter
 */
export const accountList = (network: Network, links: Links, request: HorizonRequest): HorizonAnswer => {
  const { query } = request
  const find = readFilter(query)
  const cursor = query.get("cursor") ?? ""
  const page = {
    cursor,
    after: 0n,
    limit: readLimit(query.get("limit") ?? ""),
    order: readOrder(query.get("order") ?? ""),
  }
  const isAscending = page.order === "asc"
  const ascending = [...new Set(find(network))].sort()
  const records = (isAscending ? ascending : ascending.toReversed())
    .filter((address) => cursor === "" || (isAscending ? address > cursor : address < cursor))
    .slice(0, page.limit)
    .map((address) => accountResource(network, links, address))
  return resource(pageBody(request, page, records))
}
