/**
 * A network as a node sees it that is some ledgers behind: every answer speaks of the same older ledger.
 * Entries are taken back by the metadata of the ledgers that this node has not seen yet.
 */
import { StrKey, type xdr } from "@stellar/stellar-sdk"
import { assetOf, hexOf } from "../ledger/Codec.ts"
import type { ClosedLedger, Network, StoredEntry } from "../Network.ts"
import { type EntriesBefore, entriesBefore, ledgerKeyOf } from "./EntriesBefore.ts"

export interface LaggingView
  extends Pick<
    Network,
    | "latest"
    | "ledger"
    | "transaction"
    | "entry"
    | "trustlines"
    | "dataEntries"
    | "entriesOf"
    | "transactionsOf"
    | "onClose"
  > {
  /** Tells the listeners of the ledgers that have come into view. */
  readonly catchUp: () => void
}

const ownerOf = ({ data }: xdr.LedgerEntry): string | undefined => {
  if (data.type !== "trustline" && data.type !== "data") return undefined
  const { accountId } = data.type === "trustline" ? data.trustLine : data.data
  return StrKey.encodeEd25519PublicKey(accountId.ed25519.value)
}

/** Within an account: by asset ("CODE:issuer"), or by name. */
const contentOf = ({ entry: { data } }: StoredEntry): string => {
  if (data.type === "trustline") return assetOf(data.trustLine.asset) ?? ""
  return data.type === "data" ? hexOf(data.data.dataName.bytes) : ""
}

const byContent = (one: StoredEntry, other: StoredEntry): number =>
  contentOf(one) < contentOf(other) ? -1 : 1

/** What each unseen ledger changed, kept while it is unseen. */
const makeUndo = (network: Network, visible: () => number) => {
  const known = new Map<number, EntriesBefore>()
  const beforeOf = (sequence: number): EntriesBefore => {
    const found = known.get(sequence)
    if (found !== undefined) return found
    const ledger = network.ledger(sequence)
    const made: EntriesBefore = ledger === undefined ? new Map() : entriesBefore(ledger)
    known.set(sequence, made)
    return made
  }
  return {
    /** The unseen ledgers' changes, the oldest first. */
    unseen: (): ReadonlyArray<EntriesBefore> => {
      const from = visible() + 1
      const count = Math.max(0, network.latest().sequence - from + 1)
      return Array.from({ length: count }, (_, index) => beforeOf(from + index))
    },
    forget: (): void => {
      for (const sequence of known.keys()) if (sequence <= visible()) known.delete(sequence)
    },
  }
}

const makeEntries = (network: Network, unseen: () => ReadonlyArray<EntriesBefore>) => {
  const entry: Network["entry"] = (key) => {
    const text = key.toXdr("base64")
    const changed = unseen().find((before) => before.has(text))
    return changed === undefined ? network.entry(key) : changed.get(text)
  }
  /** Those that stand now, with what the unseen ledgers changed taken back. */
  const takenBack = (
    now: ReadonlyArray<StoredEntry>,
    belongs: (stored: StoredEntry) => boolean,
  ): ReadonlyArray<StoredEntry> => {
    const before = unseen()
    if (before.length === 0) return now
    const found = new Map<string, StoredEntry>()
    for (const stored of now) {
      const key = ledgerKeyOf(stored.entry).toXdr("base64")
      if (!before.some((changes) => changes.has(key))) found.set(key, stored)
    }
    // From the newest to the oldest: the oldest change tells the state at the ledger in view.
    for (const changes of before.toReversed()) {
      for (const [key, stored] of changes) {
        if (stored === undefined) found.delete(key)
        else if (belongs(stored)) found.set(key, stored)
      }
    }
    return [...found.values()].sort(byContent)
  }
  const owned = (type: "trustline" | "data", address: string, now: ReadonlyArray<StoredEntry>) =>
    takenBack(now, ({ entry }) => entry.data.type === type && ownerOf(entry) === address)
  return {
    entry,
    trustlines: (address: string) => owned("trustline", address, network.trustlines(address)),
    dataEntries: (address: string) => owned("data", address, network.dataEntries(address)),
    entriesOf: (kind: Parameters<Network["entriesOf"]>[0]) =>
      takenBack(network.entriesOf(kind), ({ entry }) => entry.data.type === kind),
  }
}

/** @param behind how many ledgers the view lags; asked at every read, so that it may change */
export const laggingView = (network: Network, behind: () => number): LaggingView => {
  const visible = (): number => Math.max(network.oldestLedger(), network.latest().sequence - behind())
  const undo = makeUndo(network, visible)
  const listeners = new Set<(ledger: ClosedLedger) => void>()
  let told = network.latest().sequence

  const seen = (sequence: number): ClosedLedger => {
    const ledger = network.ledger(sequence)
    if (ledger === undefined) throw new Error(`ledger ${sequence} is not retained`)
    return ledger
  }
  return {
    ...makeEntries(network, undo.unseen),
    latest: () => (behind() === 0 ? network.latest() : seen(visible())),
    ledger: (sequence) => (sequence > visible() ? undefined : network.ledger(sequence)),
    transaction: (hash) => {
      const found = network.transaction(hash)
      return found === undefined || found.ledger > visible() ? undefined : found
    },
    transactionsOf: (address) => {
      const all = network.transactionsOf(address)
      return behind() === 0 ? all : all.filter(({ ledger }) => ledger <= visible())
    },
    onClose: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    catchUp: () => {
      undo.forget()
      while (told < visible()) {
        told++
        const ledger = network.ledger(told)
        if (ledger === undefined) continue
        for (const listener of [...listeners]) listener(ledger)
      }
    },
  }
}
