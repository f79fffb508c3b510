/** What the ledger file's records say. */
import { makeByteReader, writeBytes, writtenBytes } from "./Bytes.ts"
import type { FileRecord } from "./Records.ts"

export const RecordKind = {
  /** Whose ledger this is. */
  identity: 1,
  /** Settings that the ledgers behind it were closed with. */
  settings: 2,
  /** A ledger with transactions. */
  ledger: 3,
  /** A ledger without: its close time alone, for there is one every second. */
  emptyLedger: 4,
  /** Ledgers with their transactions, as they are shown; Snapshot.ts. No longer written, still read. */
  plainHistory: 5,
  /** All entries as of one ledger; Snapshot.ts. */
  state: 6,
  /** As `plainHistory`, compressed. */
  history: 7,
} as const

export interface Identity {
  readonly passphrase: string
}

/** The settings that the outcome of a ledger depends on. */
export interface RecordedSettings {
  readonly protocolVersion: number
  readonly operationsPerLedgerMax: number
  readonly baseFeeStroops: number
  readonly baseReserveStroops: number
}

export interface LedgerRecord {
  readonly closeTime: bigint
  readonly baseFee: bigint
  /** Of the header, which a replay has to arrive at. */
  readonly hash: Uint8Array
  readonly envelopes: ReadonlyArray<Uint8Array>
}

const json = (kind: number, value: unknown): FileRecord => ({
  kind,
  payload: Buffer.from(JSON.stringify(value)),
})

export const parseJson = (payload: Uint8Array): unknown => JSON.parse(Buffer.from(payload).toString("utf8"))

export const identityRecord = (identity: Identity): FileRecord => json(RecordKind.identity, identity)

export const settingsRecord = (settings: RecordedSettings): FileRecord => json(RecordKind.settings, settings)

export const ledgerRecord = (ledger: LedgerRecord): FileRecord => {
  const isEmpty = ledger.envelopes.length === 0
  const payload = writtenBytes((out) => {
    out.u64(ledger.closeTime)
    if (isEmpty) return
    out.u64(ledger.baseFee)
    out.fixed(ledger.hash)
    out.u32(ledger.envelopes.length)
    for (const envelope of ledger.envelopes) writeBytes(out, envelope)
  })
  return { kind: isEmpty ? RecordKind.emptyLedger : RecordKind.ledger, payload: payload.slice() }
}

export const parseLedger = (payload: Uint8Array): LedgerRecord => {
  const reader = makeByteReader(payload)
  const closeTime = reader.u64()
  const baseFee = reader.u64()
  const hash = reader.fixed(32)
  const envelopes = Array.from({ length: reader.u32() }, () => reader.bytes())
  return { closeTime, baseFee, hash, envelopes }
}

export const parseEmptyLedger = (payload: Uint8Array): bigint => makeByteReader(payload).u64()
