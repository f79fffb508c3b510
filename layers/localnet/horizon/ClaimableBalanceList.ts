import { StrKey } from "@stellar/stellar-sdk"
import type { Network, StoredEntry } from "../Network.ts"
import { sponsorOf } from "./AccountExtensions.ts"
import {
  type BalancePlace,
  balancePlace,
  claimableBalanceIn,
  claimableBalanceResource,
} from "./ClaimableBalanceResource.ts"
import { addressOf } from "./EnvelopeView.ts"
import { type HorizonAnswer, type HorizonRequest, resource } from "./HorizonMessage.ts"
import { pageBody, readLimit, readOrder } from "./Page.ts"
import { invalidField } from "./Problems.ts"
import { assetText, type Links } from "./Render.ts"

type Filter = (stored: StoredEntry) => boolean

const everything: Filter = () => true

export const readAddress = (query: URLSearchParams, field: string): string => {
  const text = query.get(field) ?? ""
  if (text === "" || StrKey.isValidEd25519PublicKey(text)) return text
  throw invalidField(field, "Account ID must start with `G` and contain 56 alphanum characters")
}

/** `native` or CODE:ISSUER (SEP-11). */
const readAsset = (query: URLSearchParams): string => {
  const text = query.get("asset") ?? ""
  if (text === "" || text === "native") return text
  const [, issuer = ""] = /^[a-zA-Z0-9]{1,12}:(.+)$/.exec(text) ?? []
  if (StrKey.isValidEd25519PublicKey(issuer)) return text
  throw invalidField("asset", `Asset filter must be of the form "native" or "CODE:ISSUER"`)
}

const readFilters = (query: URLSearchParams): ReadonlyArray<Filter> => {
  const [asset, sponsor] = [readAsset(query), readAddress(query, "sponsor")]
  const claimant = readAddress(query, "claimant")
  return [
    asset === "" ? everything : (stored) => assetText(claimableBalanceIn(stored).asset) === asset,
    sponsor === "" ? everything : ({ entry }) => sponsorOf(entry) === sponsor,
    claimant === ""
      ? everything
      : (stored) =>
          claimableBalanceIn(stored).claimants.some(({ v0 }) => addressOf(v0.destination) === claimant),
  ]
}

const CURSOR_REASON =
  "The first part should be a number higher than 0 and the second part should be a valid claimable balance ID"

const readPlace = (text: string): BalancePlace | undefined => {
  if (text === "") return undefined
  const [, ledger, id] = /^(\d{1,10})-([\da-f]{72})$/.exec(text) ?? []
  if (ledger === undefined || id === undefined) throw invalidField("cursor", CURSOR_REASON)
  return { ledger: Number(ledger), id }
}

const compare = (one: BalancePlace, other: BalancePlace): number =>
  one.ledger !== other.ledger ? one.ledger - other.ledger : one.id < other.id ? -1 : one.id > other.id ? 1 : 0

/**
 * `/claimable_balances`: those that wait, by the ledger that wrote them; filters asset, sponsor and claimant.
 * @throws HorizonProblem 400 naming the field
 */
export const claimableBalanceList = (
  network: Network,
  links: Links,
  request: HorizonRequest,
): HorizonAnswer => {
  const { query } = request
  const cursor = query.get("cursor") ?? ""
  const page = {
    cursor,
    after: 0n,
    limit: readLimit(query.get("limit") ?? ""),
    order: readOrder(query.get("order") ?? ""),
  }
  const [filters, after] = [readFilters(query), readPlace(cursor)]
  const sign = page.order === "asc" ? 1 : -1
  const found = network
    .entriesOf("claimableBalance")
    .filter((stored) => filters.every((filter) => filter(stored)))
    .map((stored) => ({ stored, place: balancePlace(stored) }))
    .filter(({ place }) => after === undefined || compare(place, after) * sign > 0)
    .sort((one, other) => compare(one.place, other.place) * sign)
    .slice(0, page.limit)
  const records = found.map(({ stored }) => claimableBalanceResource(network, links, stored))
  return resource(pageBody(request, page, records))
}
