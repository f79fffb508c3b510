import { StrKey, xdr } from "@stellar/stellar-sdk"
import type { Network, StoredEntry } from "../Network.ts"
import { accountExtensions, sponsorOf } from "./AccountExtensions.ts"
import { invalidField, notFound } from "./Problems.ts"
import { amountText, assetFields, type Links, timeText } from "./Render.ts"
import { signerName } from "./SignerKeys.ts"

/** Account and trustline flags of the protocol (Stellar-ledger-entries.x). */
const AUTH_REQUIRED = 1
const AUTH_REVOCABLE = 2
const AUTH_IMMUTABLE = 4
const AUTH_CLAWBACK_ENABLED = 8
const LINE_AUTHORIZED = 1
const LINE_AUTHORIZED_TO_MAINTAIN = 2
const LINE_CLAWBACK_ENABLED = 4

/** @throws HorizonProblem 400 */
export const requireAccountId = (text: string): string => {
  if (StrKey.isValidEd25519PublicKey(text)) return text
  throw invalidField("account_id", "Account ID must start with `G` and contain 56 alphanum characters")
}

const accountKey = (address: string): xdr.LedgerKey =>
  xdr.LedgerKey.account(
    new xdr.LedgerKeyAccount({
      accountId: xdr.PublicKey.publicKeyTypeEd25519(StrKey.decodeEd25519PublicKey(address)),
    }),
  )

export const accountEntry = (network: Network, address: string): StoredEntry | undefined =>
  network.entry(accountKey(address))

const sponsorField = (entry: xdr.LedgerEntry) => {
  const sponsor = sponsorOf(entry)
  return sponsor === undefined ? {} : { sponsor }
}

const trustlineBalance = (stored: StoredEntry) => {
  const data = stored.entry.data
  if (data.type !== "trustline") throw new Error(`expected a trustline, found ${data.type}`)
  const line = data.trustLine
  const liabilities = line.ext.type === "v1" ? line.ext.v1.liabilities : undefined
  const isAuthorized = (line.flags & LINE_AUTHORIZED) !== 0
  return {
    balance: amountText(line.balance),
    limit: amountText(line.limit),
    buying_liabilities: amountText(liabilities?.buying ?? 0n),
    selling_liabilities: amountText(liabilities?.selling ?? 0n),
    ...sponsorField(stored.entry),
    last_modified_ledger: stored.lastModifiedLedger,
    is_authorized: isAuthorized,
    is_authorized_to_maintain_liabilities: isAuthorized || (line.flags & LINE_AUTHORIZED_TO_MAINTAIN) !== 0,
    ...((line.flags & LINE_CLAWBACK_ENABLED) === 0 ? {} : { is_clawback_enabled: true }),
    ...assetFields(line.asset),
  }
}

/** Trustlines first, the native balance last, as Horizon orders them. */
const balancesOf = (network: Network, account: xdr.AccountEntry, address: string) => {
  const { buyingLiabilities, sellingLiabilities } = accountExtensions(account)
  return [
    ...network.trustlines(address).map(trustlineBalance),
    {
      balance: amountText(account.balance),
      buying_liabilities: amountText(buyingLiabilities),
      selling_liabilities: amountText(sellingLiabilities),
      asset_type: "native",
    },
  ]
}

/** By key; the master key among them while it has weight, at the end with weight 0 otherwise. */
const signersOf = (account: xdr.AccountEntry, address: string, masterWeight: number) => {
  const { signerSponsors } = accountExtensions(account)
  const others = account.signers.map((signer, index) => {
    const sponsor = signerSponsors[index]
    return {
      weight: signer.weight,
      ...signerName(signer.key),
      ...(sponsor === undefined ? {} : { sponsor }),
    }
  })
  const master = { weight: masterWeight, key: address, type: "ed25519_public_key" as const }
  const byKey = (a: { readonly key: string }, b: { readonly key: string }) => (a.key < b.key ? -1 : 1)
  return masterWeight > 0 ? [...others, master].sort(byKey) : [...others.sort(byKey), master]
}

const dataOf = (network: Network, address: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    network.dataEntries(address).flatMap(({ entry }) => {
      const data = entry.data
      if (data.type !== "data") return []
      return [[data.data.dataName.toString(), Buffer.from(data.data.dataValue.toBytes()).toString("base64")]]
    }),
  )

const linkFields = (links: Links, address: string) => {
  const self = `/accounts/${address}`
  return {
    self: links.link(self),
    transactions: links.paged(`${self}/transactions`),
    operations: links.paged(`${self}/operations`),
    payments: links.paged(`${self}/payments`),
    effects: links.paged(`${self}/effects`),
    offers: links.paged(`${self}/offers`),
    trades: links.paged(`${self}/trades`),
    data: links.template(`${self}/data/{key}`),
  }
}

export const accountFlags = (flags: number) => ({
  auth_required: (flags & AUTH_REQUIRED) !== 0,
  auth_revocable: (flags & AUTH_REVOCABLE) !== 0,
  auth_immutable: (flags & AUTH_IMMUTABLE) !== 0,
  auth_clawback_enabled: (flags & AUTH_CLAWBACK_ENABLED) !== 0,
})

const sequenceFields = (account: xdr.AccountEntry) => {
  const { sequenceSet } = accountExtensions(account)
  return {
    sequence: account.seqNum.toString(),
    ...(sequenceSet === undefined
      ? {}
      : { sequence_ledger: sequenceSet.ledger, sequence_time: sequenceSet.time.toString() }),
  }
}

/**
 * `/accounts/:id` as of the latest ledger (Horizon's resourceadapter.PopulateAccountEntry).
 * @throws HorizonProblem 404 where there is no such account
 */
export const accountResource = (network: Network, links: Links, address: string) => {
  const stored = accountEntry(network, address)
  if (stored === undefined || stored.entry.data.type !== "account") throw notFound()
  const account = stored.entry.data.account
  const [master = 0, low = 0, medium = 0, high = 0] = account.thresholds.toBytes()
  const modifiedIn = network.ledger(stored.lastModifiedLedger)
  const { numSponsored, numSponsoring } = accountExtensions(account)
  return {
    _links: linkFields(links, address),
    id: address,
    account_id: address,
    ...sequenceFields(account),
    subentry_count: account.numSubEntries,
    ...(account.homeDomain.length === 0 ? {} : { home_domain: account.homeDomain.toString() }),
    last_modified_ledger: stored.lastModifiedLedger,
    last_modified_time: modifiedIn === undefined ? null : timeText(modifiedIn.closeTime),
    thresholds: { low_threshold: low, med_threshold: medium, high_threshold: high },
    flags: accountFlags(account.flags),
    balances: balancesOf(network, account, address),
    signers: signersOf(account, address, master),
    data: dataOf(network, address),
    num_sponsoring: numSponsoring,
    num_sponsored: numSponsored,
    ...sponsorField(stored.entry),
    paging_token: address,
  }
}

/** `/accounts/:id/data/:key`. @throws HorizonProblem 404 */
export const accountDataResource = (network: Network, address: string, name: string) => {
  for (const { entry } of network.dataEntries(address)) {
    if (entry.data.type !== "data" || entry.data.data.dataName.toString() !== name) continue
    return {
      value: Buffer.from(entry.data.data.dataValue.toBytes()).toString("base64"),
      ...sponsorField(entry),
    }
  }
  throw notFound()
}
