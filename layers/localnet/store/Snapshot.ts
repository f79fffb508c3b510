/**
 * What spares a start the replay: closed ledgers as they are shown, and all entries as of one ledger. A start
 * takes the last entries and every history before them, and replays only the ledgers behind.
 */
import { xdr } from "@stellar/stellar-sdk"
import { hexOf } from "../ledger/Codec.ts"
import { writeEntry } from "../ledger/EntryBytes.ts"
import { entryFrom } from "../ledger/EntryXdr.ts"
import type { History, KeptLedger } from "../ledger/History.ts"
import { keptFrom, type Place, type TransactionBytes } from "../ledger/KeptTransaction.ts"
import type { LedgerState } from "../ledger/State.ts"
import type { XdrWriter } from "../ledger/XdrWriter.ts"
import { type ByteReader, makeByteReader, writeBytes, writtenBytes } from "./Bytes.ts"
import { RecordKind } from "./LedgerRecords.ts"
import type { FileRecord } from "./Records.ts"

const NOTHING = new Uint8Array(0)
/** How many ledgers, and the first one's sequence: in front of what is compressed. */
const SPAN_BYTES = 8

const writeTransaction = (out: XdrWriter, transaction: TransactionBytes): void => {
  out.hex(transaction.hash)
  const innerHash = transaction.innerHash ?? ""
  out.u32(innerHash.length / 2)
  out.hex(innerHash)
  out.u32(transaction.successful ? 1 : 0)
  out.u32(transaction.operations)
  out.u64(transaction.feeCharged)
  writeBytes(out, transaction.envelope)
  writeBytes(out, transaction.result)
  writeBytes(out, transaction.meta)
  writeBytes(out, transaction.feeMeta)
  out.u32(32 * transaction.participants.length)
  for (const participant of transaction.participants) out.hex(participant)
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

const writeLedgers = (out: XdrWriter, ledgers: ReadonlyArray<KeptLedger>): void => {
  out.u32(ledgers.length)
  for (const ledger of ledgers) {
    out.u32(ledger.sequence)
    out.u64(BigInt(ledger.closeTime))
    out.hex(ledger.hash)
    writeBytes(out, ledger.header ?? NOTHING)
    out.u32(ledger.transactions.length)
    for (const transaction of ledger.transactions) writeTransaction(out, transaction.encode())
  }
}

/**
 * Retained ledgers, one after the other. Meta repeats the same keys over and over: compression leaves a
 * tenth of it, in a fraction of the time that the disk would take for the rest.
 */
export const historyRecord = (ledgers: ReadonlyArray<KeptLedger>): FileRecord => {
  const packed = Bun.zstdCompressSync(writtenBytes((out) => writeLedgers(out, ledgers)))
  const head = Buffer.alloc(SPAN_BYTES)
  head.writeUInt32BE(ledgers.length, 0)
  head.writeUInt32BE(ledgers[0]?.sequence ?? 0, 4)
  return { kind: RecordKind.history, payload: Buffer.concat([head, packed]) }
}

export const isHistory = ({ kind }: FileRecord): boolean =>
  kind === RecordKind.history || kind === RecordKind.plainHistory

/** The last ledger that a history record holds; 0 when it holds none. Both kinds begin with count and first. */
export const lastLedgerIn = ({ payload }: FileRecord): number => {
  const reader = makeByteReader(payload)
  const count = reader.u32()
  return count === 0 ? 0 : reader.u32() + count - 1
}

/** Adds a history record's ledgers. */
export const loadHistory = ({ kind, payload }: FileRecord, history: History): void => {
  const isPacked = kind === RecordKind.history
  const reader = makeByteReader(isPacked ? Bun.zstdDecompressSync(payload.subarray(SPAN_BYTES)) : payload)
  const ledgers = reader.u32()
  for (let at = 0; at < ledgers; at++) history.restore(readLedger(reader))
}

/** @param head the latest ledger's header, which the next ledger builds upon */
export const stateRecord = (head: Uint8Array, state: LedgerState): FileRecord => {
  const payload = writtenBytes((out) => {
    writeBytes(out, head)
    out.u32(state.size())
    for (const entry of state.all()) {
      const at = out.length()
      out.u32(0)
      writeEntry(out, entry)
      out.u32At(at, out.length() - at - 4)
    }
  })
  return { kind: RecordKind.state, payload: payload.slice() }
}

/** Fills an empty state. @returns the latest ledger's header */
export const loadState = (payload: Uint8Array, state: LedgerState): Uint8Array => {
  const reader = makeByteReader(payload)
  const head = reader.bytes()
  const entries = reader.u32()
  for (let at = 0; at < entries; at++) state.load(entryFrom(xdr.LedgerEntry.fromXdr(reader.bytes())))
  return head
}
