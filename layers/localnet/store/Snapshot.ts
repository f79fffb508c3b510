/**
 * A checkpoint: the retained ledgers since the last one, and all entries as they are. A start takes the last
 * entries and every history before them, and replays only the ledgers behind.
 */
import { xdr } from "@stellar/stellar-sdk"
import { bytesOf, hexOf } from "../ledger/Codec.ts"
import { writeEntry } from "../ledger/EntryBytes.ts"
import { entryFrom } from "../ledger/EntryXdr.ts"
import type { History, KeptLedger } from "../ledger/History.ts"
import { keptFrom, type Place, type TransactionBytes } from "../ledger/KeptTransaction.ts"
import type { LedgerState } from "../ledger/State.ts"
import { makeXdrWriter } from "../ledger/XdrWriter.ts"
import { type ByteReader, type ByteWriter, makeByteReader, makeByteWriter } from "./Bytes.ts"
import { RecordKind } from "./LedgerRecords.ts"
import type { FileRecord } from "./Records.ts"

const writeTransaction = (writer: ByteWriter, transaction: TransactionBytes): void => {
  writer.fixed(bytesOf(transaction.hash))
  writer.bytes(bytesOf(transaction.innerHash ?? ""))
  writer.u32(transaction.successful ? 1 : 0)
  writer.u32(transaction.operations)
  writer.u64(transaction.feeCharged)
  writer.bytes(transaction.envelope)
  writer.bytes(transaction.result)
  writer.bytes(transaction.meta)
  writer.bytes(transaction.feeMeta)
  writer.bytes(bytesOf(transaction.participants.join("")))
}

const participantsFrom = (bytes: Uint8Array): Array<string> =>
  Array.from({ length: bytes.length / 32 }, (_, index) => hexOf(bytes.subarray(index * 32, index * 32 + 32)))

const readTransaction = (reader: ByteReader): TransactionBytes => {
  const hash = hexOf(reader.fixed(32))
  const innerHash = hexOf(reader.bytes())
  return {
    hash,
    innerHash: innerHash === "" ? undefined : innerHash,
    successful: reader.u32() === 1,
    operations: reader.u32(),
    feeCharged: reader.u64(),
    envelope: reader.bytes(),
    result: reader.bytes(),
    meta: reader.bytes(),
    feeMeta: reader.bytes(),
    participants: participantsFrom(reader.bytes()),
  }
}

const readLedger = (reader: ByteReader): KeptLedger => {
  const sequence = reader.u32()
  const closeTime = Number(reader.u64())
  const hash = hexOf(reader.fixed(32))
  const header = reader.bytes()
  const transactions = Array.from({ length: reader.u32() }, (_, index) => {
    const place: Place = { ledger: sequence, applicationOrder: index + 1, closeTime }
    return keptFrom(readTransaction(reader), place)
  })
  return { sequence, closeTime, hash, header: header.length === 0 ? undefined : header, transactions }
}

/** The retained ledgers from `sequence` on. */
export const historyRecord = (history: History, sequence: number): FileRecord => {
  const writer = makeByteWriter()
  const ledgers = history.keptFrom(sequence)
  writer.u32(ledgers.length)
  for (const ledger of ledgers) {
    writer.u32(ledger.sequence)
    writer.u64(BigInt(ledger.closeTime))
    writer.fixed(bytesOf(ledger.hash))
    writer.bytes(ledger.header ?? new Uint8Array(0))
    writer.u32(ledger.transactions.length)
    for (const transaction of ledger.transactions) writeTransaction(writer, transaction.encode())
  }
  return { kind: RecordKind.history, payload: writer.done() }
}

export const loadHistory = (payload: Uint8Array, history: History): void => {
  const reader = makeByteReader(payload)
  const ledgers = reader.u32()
  for (let at = 0; at < ledgers; at++) history.restore(readLedger(reader))
}

/** @param head the latest ledger's header, which the next ledger builds upon */
export const stateRecord = (head: Uint8Array, state: LedgerState): FileRecord => {
  const out = makeXdrWriter()
  out.u32(head.length)
  out.fixed(head)
  out.u32(state.size())
  for (const entry of state.all()) {
    const at = out.length()
    out.u32(0)
    writeEntry(out, entry)
    out.u32At(at, out.length() - at - 4)
  }
  return { kind: RecordKind.state, payload: out.written() }
}

/** Fills an empty state. @returns the latest ledger's header */
export const loadState = (payload: Uint8Array, state: LedgerState): Uint8Array => {
  const reader = makeByteReader(payload)
  const head = reader.bytes()
  const entries = reader.u32()
  for (let at = 0; at < entries; at++) state.load(entryFrom(xdr.LedgerEntry.fromXdr(reader.bytes())))
  return head
}
