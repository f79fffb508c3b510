/**
 * What keeps a network across restarts: the ledger file, read by replaying it. A ledger is recorded as its
 * transactions, base fee and close time; replaying them has to arrive at the recorded header hash.
 */
import { closeLedger, type LedgerChain, type LedgerClose } from "../ledger/CloseLedger.ts"
import { hexOf } from "../ledger/Codec.ts"
import { frameOf } from "../ledger/Frame.ts"
import { genesis } from "../ledger/Genesis.ts"
import { type SealedHeader, sealedFrom } from "../ledger/Header.ts"
import type { History } from "../ledger/History.ts"
import { keptOf } from "../ledger/KeptTransaction.ts"
import type { TransactionSet } from "../ledger/TransactionSet.ts"
import type { ClosedLedger } from "../Network.ts"
import { type LedgerFile, openLedgerFile } from "./LedgerFile.ts"
import {
  identityRecord,
  ledgerRecord,
  parseEmptyLedger,
  parseJson,
  parseLedger,
  type RecordedSettings,
  RecordKind,
  settingsRecord,
} from "./LedgerRecords.ts"
import { type FileRecord, LedgerFileError } from "./Records.ts"
import { loadSnapshot, snapshotRecord } from "./Snapshot.ts"

/** A file is rewritten when it has grown by this much, or by its snapshot's size when that is more. */
const REWRITE_AFTER_BYTES = 32 * 1024 * 1024
/** ... or by this many ledgers: empty ones are small, but each is replayed at the next start. */
const REWRITE_AFTER_LEDGERS = 20_000

export interface LedgerStore {
  /** The latest ledger that the file holds, genesis for a new one. */
  readonly head: SealedHeader
  /** Returns when the ledger is on the disk. */
  readonly record: (close: LedgerClose, set: TransactionSet, closeTime: bigint) => void
  /** Rewrites the file when it has grown enough; to be called once the recorded ledger is in the history. */
  readonly tidy: (head: SealedHeader) => void
  /** Rewrites the file now. */
  readonly rewrite: (head: SealedHeader) => void
  readonly close: () => void
}

/** Adds a closed ledger to the history. */
export const addToHistory = (history: History, { header, included }: LedgerClose): ClosedLedger => {
  const ledger = header.header.ledgerSeq
  const closeTime = Number(header.header.scpValue.closeTime)
  return history.add(
    header,
    included.map((one, index) => keptOf(one, { ledger, applicationOrder: index + 1, closeTime })),
  )
}

export const memoryStore = (chain: LedgerChain, history: History, passphrase: string): LedgerStore => {
  const head = genesis(chain.state, chain.settings, passphrase)
  history.add(head, [])
  return { head, record: () => {}, tidy: () => {}, rewrite: () => {}, close: () => {} }
}

const recordedSettings = (settings: RecordedSettings): RecordedSettings => ({
  protocolVersion: settings.protocolVersion,
  operationsPerLedgerMax: settings.operationsPerLedgerMax,
  baseFeeStroops: settings.baseFeeStroops,
  baseReserveStroops: settings.baseReserveStroops,
})

const checkIdentity = (record: FileRecord | undefined, path: string, passphrase: string): void => {
  const identity = record?.kind === RecordKind.identity ? parseJson(record.payload) : undefined
  const found = (identity as { passphrase?: unknown } | undefined)?.passphrase
  if (found === passphrase) return
  throw new LedgerFileError(
    `The ledger file ${path} belongs to the network "${String(found)}", not to "${passphrase}".`,
  )
}

/** Replays the records behind the identity, and says where the chain ends. */
const replay = (
  records: ReadonlyArray<FileRecord>,
  chain: LedgerChain,
  history: History,
  passphrase: string,
  path: string,
): {
  readonly head: SealedHeader
  readonly settings: RecordedSettings | undefined
  readonly ledgers: number
  readonly snapshotBytes: number
} => {
  let settings: RecordedSettings | undefined
  let head: SealedHeader | undefined
  let ledgers = 0
  const snapshotBytes = 0
  const start = (): SealedHeader => {
    const first = genesis(chain.state, settings ?? chain.settings, passphrase)
    history.add(first, [])
    return first
  }
  const advance = (set: TransactionSet, closeTime: bigint): SealedHeader => {
    const terms = { ...chain, settings: settings ?? chain.settings }
    const closed = closeLedger(terms, head ?? start(), set, closeTime)
    addToHistory(history, closed)
    ledgers++
    return closed.header
  }
  for (const { kind, payload } of records) {
    if (kind === RecordKind.settings) settings = parseJson(payload) as RecordedSettings
    else if (kind === RecordKind.snapshot) head = sealedFrom(loadSnapshot(payload, chain.state, history))
    else if (kind === RecordKind.emptyLedger)
      head = advance({ frames: [], baseFee: 0n }, parseEmptyLedger(payload))
    else if (kind === RecordKind.ledger) {
      const { closeTime, baseFee, hash, envelopes } = parseLedger(payload)
      const frames = envelopes.map((envelope) => frameOf(envelope, chain.networkId))
      head = advance({ frames, baseFee }, closeTime)
      if (head.hashHex !== hexOf(hash)) throw anotherVersion(path, head.header.ledgerSeq)
    } else throw anotherVersion(path, head?.header.ledgerSeq ?? 1)
  }
  return { head: head ?? start(), settings, ledgers, snapshotBytes }
}

const anotherVersion = (path: string, sequence: number): LedgerFileError =>
  new LedgerFileError(
    `The ledger file ${path} was written by a version with other rules (ledger ${sequence}); move it away to start a new network.`,
  )

const begin = (file: LedgerFile, chain: LedgerChain, passphrase: string): void => {
  if (file.records.length === 0)
    file.append([identityRecord({ passphrase }), settingsRecord(recordedSettings(chain.settings))])
  else checkIdentity(file.records[0], file.path, passphrase)
}

/** @throws LedgerFileError, whose message is one sentence for whoever started the network */
export const fileStore = (
  path: string,
  chain: LedgerChain,
  history: History,
  passphrase: string,
  rewriteAfterLedgers = REWRITE_AFTER_LEDGERS,
): LedgerStore => {
  const file = openLedgerFile(path)
  try {
    begin(file, chain, passphrase)
    const found = replay(file.records.slice(1), chain, history, passphrase, file.path)
    const settings = recordedSettings(chain.settings)
    if (!Bun.deepEquals(found.settings, settings)) file.append([settingsRecord(settings)])
    let ledgers = found.ledgers
    let snapshotBytes = found.snapshotBytes
    // What a start has to replay: what stands behind the snapshot.
    let replayedBytes = file.records.reduce((sum, { payload }) => sum + payload.length, -snapshotBytes)
    const rewrite = (head: SealedHeader): void => {
      const snapshot = snapshotRecord(head.bytes, chain.state, history)
      file.rewrite([identityRecord({ passphrase }), settingsRecord(settings), snapshot])
      snapshotBytes = snapshot.payload.length
      replayedBytes = 0
      ledgers = 0
    }
    return {
      head: found.head,
      record: ({ header }, set, closeTime) => {
        const envelopes = set.frames.map((frame) => frame.bytes)
        file.append([ledgerRecord({ closeTime, baseFee: set.baseFee, hash: header.hash, envelopes })])
        ledgers++
      },
      tidy: (head) => {
        const grown = replayedBytes + file.appended() >= Math.max(REWRITE_AFTER_BYTES, snapshotBytes)
        if (grown || ledgers >= rewriteAfterLedgers) rewrite(head)
      },
      rewrite,
      close: file.close,
    }
  } catch (error) {
    file.close()
    throw error
  }
}
