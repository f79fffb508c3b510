/**
 * The ledger's entries with nested, revertible changes: one frame for a ledger, in it one for each
 * transaction, in that one for each operation, as core nests LedgerTxn (src/ledger/LedgerTxn.h).
 */
import {
  type AccountKey,
  type AccountState,
  type AssetKey,
  accountKey,
  type Entry,
  type EntryKey,
  keyOf,
  ownerOf,
  type TrustlineState,
  trustlineKey,
} from "./Entries.ts"

export interface EntryChange {
  readonly key: EntryKey
  readonly before: Entry | undefined
  readonly after: Entry | undefined
}

export interface LedgerState {
  readonly get: (key: EntryKey) => Entry | undefined
  readonly account: (id: AccountKey) => AccountState | undefined
  readonly trustline: (account: AccountKey, asset: AssetKey) => TrustlineState | undefined
  /** Creates or replaces; stamps lastModified with the ledger being built. */
  readonly put: (entry: Entry) => void
  readonly remove: (key: EntryKey) => void
  readonly begin: () => void
  /** Ends the innermost frame and keeps its changes, which it returns in the order of first touch. */
  readonly commit: () => ReadonlyArray<EntryChange>
  /** Ends the innermost frame and undoes its changes. */
  readonly rollback: () => void
  /** Trustlines and data entries of an account. */
  readonly subEntries: (account: AccountKey) => ReadonlyArray<Entry>
  readonly all: () => IterableIterator<Entry>
  readonly size: () => number
  /** Puts an entry as it is, outside any frame: loading a snapshot. */
  readonly load: (entry: Entry) => void
  /** Sets the sequence that `put` stamps. */
  readonly building: (ledgerSequence: number) => void
}

type Frame = Map<EntryKey, Entry | undefined>

export const makeLedgerState = (): LedgerState => {
  const entries = new Map<EntryKey, Entry>()
  const owned = new Map<AccountKey, Set<EntryKey>>()
  const frames: Array<Frame> = []
  let sequence = 1

  const index = (entry: Entry, key: EntryKey): void => {
    const owner = ownerOf(entry)
    if (owner === null) return
    const keys = owned.get(owner)
    if (keys === undefined) owned.set(owner, new Set([key]))
    else keys.add(key)
  }
  const unindex = (entry: Entry, key: EntryKey): void => {
    const owner = ownerOf(entry)
    if (owner === null) return
    const keys = owned.get(owner)
    keys?.delete(key)
    if (keys?.size === 0) owned.delete(owner)
  }
  const write = (key: EntryKey, before: Entry | undefined, after: Entry | undefined): void => {
    if (after === undefined) {
      entries.delete(key)
      if (before !== undefined) unindex(before, key)
    } else {
      entries.set(key, after)
      if (before === undefined) index(after, key)
    }
  }
  const remember = (key: EntryKey, before: Entry | undefined): void => {
    const frame = frames.at(-1)
    if (frame !== undefined && !frame.has(key)) frame.set(key, before)
  }

  return {
    get: (key) => entries.get(key),
    account: (id) => entries.get(accountKey(id)) as AccountState | undefined,
    trustline: (account, asset) => entries.get(trustlineKey(account, asset)) as TrustlineState | undefined,
    put: (entry) => {
      const key = keyOf(entry)
      const before = entries.get(key)
      remember(key, before)
      write(key, before, entry.lastModified === sequence ? entry : { ...entry, lastModified: sequence })
    },
    remove: (key) => {
      const before = entries.get(key)
      remember(key, before)
      write(key, before, undefined)
    },
    begin: () => {
      frames.push(new Map())
    },
    commit: () => {
      const frame = frames.pop() ?? new Map()
      const parent = frames.at(-1)
      const changes: Array<EntryChange> = []
      for (const [key, before] of frame) {
        const after = entries.get(key)
        if (before === undefined && after === undefined) continue
        changes.push({ key, before, after })
        if (parent !== undefined && !parent.has(key)) parent.set(key, before)
      }
      return changes
    },
    rollback: () => {
      for (const [key, before] of frames.pop() ?? []) write(key, entries.get(key), before)
    },
    subEntries: (account) => {
      const found: Array<Entry> = []
      for (const key of owned.get(account) ?? []) {
        const entry = entries.get(key)
        if (entry !== undefined) found.push(entry)
      }
      return found
    },
    all: () => entries.values(),
    size: () => entries.size,
    load: (entry) => {
      const key = keyOf(entry)
      write(key, entries.get(key), entry)
    },
    building: (ledgerSequence) => {
      sequence = ledgerSequence
    },
  }
}
