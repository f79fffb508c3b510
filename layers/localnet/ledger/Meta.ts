/**
 * What a transaction changed, as TransactionMeta v4 (CAP-67, protocol 23 and later). Events are not emitted
 * yet: the meta reads as that of a core that runs without EMIT_CLASSIC_EVENTS.
 */
import { xdr } from "@stellar/stellar-sdk"
import type { AppliedChanges } from "./Apply.ts"
import { entryKeyXdr, entryXdr } from "./EntryXdr.ts"
import type { EntryChange } from "./State.ts"

/** LedgerTxn::getChanges: the state before, then what became of it. */
const changesXdr = (changes: ReadonlyArray<EntryChange>): Array<xdr.LedgerEntryChange> =>
  changes.flatMap(({ before, after }): Array<xdr.LedgerEntryChange> => {
    if (before === undefined) {
      return after === undefined ? [] : [xdr.LedgerEntryChange.ledgerEntryCreated(entryXdr(after))]
    }
    return [
      xdr.LedgerEntryChange.ledgerEntryState(entryXdr(before)),
      after === undefined
        ? xdr.LedgerEntryChange.ledgerEntryRemoved(entryKeyXdr(before))
        : xdr.LedgerEntryChange.ledgerEntryUpdated(entryXdr(after)),
    ]
  })

export const feeMetaBytes = (changes: ReadonlyArray<EntryChange>): Uint8Array =>
  xdr.encodeArray(xdr.LedgerEntryChange, changesXdr(changes))

export const metaBytes = (changes: AppliedChanges): Uint8Array =>
  xdr.TransactionMeta.v4(
    new xdr.TransactionMetaV4({
      ext: xdr.ExtensionPoint.v0(),
      txChangesBefore: changesXdr(changes.before),
      operations: changes.operations.map(
        (operation) =>
          new xdr.OperationMetaV2({
            ext: xdr.ExtensionPoint.v0(),
            changes: changesXdr(operation),
            events: [],
          }),
      ),
      txChangesAfter: [],
      sorobanMeta: null,
      events: [],
      diagnosticEvents: [],
    }),
  ).toXdr()
