/**
 * What a transaction changed, as TransactionMeta v4 (CAP-67, protocol 23 and later; Stellar-ledger.x). Events
 * are not emitted yet: the meta reads as that of a core that runs without EMIT_CLASSIC_EVENTS.
 */
import type { AppliedChanges } from "./Apply.ts"
import { writeChanges } from "./EntryBytes.ts"
import type { EntryChange } from "./State.ts"
import { makeXdrWriter, type XdrWriter } from "./XdrWriter.ts"

/** Nothing here is asynchronous, so one buffer serves all. */
const shared = makeXdrWriter()

const written = (write: (out: XdrWriter) => void): Uint8Array => {
  shared.clear()
  write(shared)
  return shared.copy()
}

export const feeMetaBytes = (changes: ReadonlyArray<EntryChange>): Uint8Array =>
  written((out) => writeChanges(out, changes))

const writeMeta = (out: XdrWriter, { before, operations }: AppliedChanges): void => {
  out.u32(4)
  // ext, then the changes of fee and sequence
  out.u32(0)
  writeChanges(out, before)
  out.u32(operations.length)
  for (const changes of operations) {
    // ext, changes, no events
    out.u32(0)
    writeChanges(out, changes)
    out.u32(0)
  }
  // txChangesAfter, sorobanMeta, events, diagnosticEvents: none
  for (let at = 0; at < 4; at++) out.u32(0)
}

export const metaBytes = (changes: AppliedChanges): Uint8Array => written((out) => writeMeta(out, changes))
