import { xdr } from "@stellar/stellar-sdk"
import type { Network, StoredEntry } from "../Network.ts"
import { sponsorOf } from "./AccountExtensions.ts"
import { claimantDetails } from "./OperationDetails.ts"
import { invalidField, notFound } from "./Problems.ts"
import { amountText, assetText, type Links, timeText } from "./Render.ts"

const CLAWBACK_ENABLED = 1

const idOf = (balance: xdr.ClaimableBalanceEntry): string => balance.balanceId.toXdr("hex")

export const claimableBalanceIn = ({ entry: { data } }: StoredEntry): xdr.ClaimableBalanceEntry => {
  if (data.type !== "claimableBalance") throw new Error(`expected a claimable balance, found ${data.type}`)
  return data.claimableBalance
}

/** The place in the list: by the ledger that wrote it last, then by id. */
export interface BalancePlace {
  readonly ledger: number
  readonly id: string
}

export const balancePlace = (stored: StoredEntry): BalancePlace => ({
  ledger: stored.lastModifiedLedger,
  id: idOf(claimableBalanceIn(stored)),
})

export const claimableBalanceResource = (network: Network, links: Links, stored: StoredEntry) => {
  const balance = claimableBalanceIn(stored)
  const id = idOf(balance)
  const self = `/claimable_balances/${id}`
  const modifiedIn = network.ledger(stored.lastModifiedLedger)
  const sponsor = sponsorOf(stored.entry)
  const flags = balance.ext.type === "v1" ? balance.ext.v1.flags : 0
  return {
    _links: {
      self: links.link(self),
      transactions: links.paged(`${self}/transactions`),
      operations: links.paged(`${self}/operations`),
    },
    id,
    asset: assetText(balance.asset),
    amount: amountText(balance.amount),
    ...(sponsor === undefined ? {} : { sponsor }),
    last_modified_ledger: stored.lastModifiedLedger,
    last_modified_time: modifiedIn === undefined ? null : timeText(modifiedIn.closeTime),
    claimants: balance.claimants.map(claimantDetails),
    flags: { clawback_enabled: (flags & CLAWBACK_ENABLED) !== 0 },
    paging_token: `${stored.lastModifiedLedger}-${id}`,
  }
}

const balanceIdIn = (text: string): xdr.ClaimableBalanceId => {
  try {
    return xdr.ClaimableBalanceId.fromXdr(text, "hex")
  } catch {
    throw invalidField("id", `${text} is not a valid claimable balance id`)
  }
}

/**
 * `/claimable_balances/:id`, the id as 72 hex digits.
 * @throws HorizonProblem 400, 404 where it is claimed or never was
 */
export const claimableBalanceById = (network: Network, links: Links, text: string) => {
  const key = new xdr.LedgerKeyClaimableBalance({ balanceId: balanceIdIn(text) })
  const stored = network.entry(xdr.LedgerKey.claimableBalance(key))
  if (stored === undefined) throw notFound()
  return claimableBalanceResource(network, links, stored)
}
