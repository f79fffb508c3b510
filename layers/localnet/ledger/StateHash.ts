/**
 * What stands in the header's bucketListHash. Core hashes its bucket list; this network has none, and chains
 * the changes instead: SHA-256 over the previous value and, in key order, the XDR of every entry that the
 * ledger wrote or the key of every entry that it removed. Two networks with the same history agree on it.
 */
import { sha256 } from "./Codec.ts"
import { writeEntry, writeEntryKey } from "./EntryBytes.ts"
import type { EntryChange } from "./State.ts"
import { makeXdrWriter } from "./XdrWriter.ts"

const byKey = (one: EntryChange, other: EntryChange): number => (one.key < other.key ? -1 : 1)

const shared = makeXdrWriter()

export const stateHashAfter = (previous: Uint8Array, changes: ReadonlyArray<EntryChange>): Uint8Array => {
  if (changes.length === 0) return previous
  shared.clear()
  for (const { before, after } of changes.toSorted(byKey)) {
    if (after !== undefined) writeEntry(shared, after)
    else if (before !== undefined) writeEntryKey(shared, before)
  }
  return sha256(previous, shared.written())
}
