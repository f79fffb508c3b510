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
import { isHistory, loadHistory, loadState, stateRecord } from "./Snapshot.ts"
import { makeWrittenHistory } from "./WrittenHistory.ts"

/** A checkpoint comes after this many bytes that a start would replay, or the entries' size if that is more, */
const CHECKPOINT_AFTER_BYTES = 4 * 1024 * 1024
/** ... or after this many ledgers: empty ones are small, but each is replayed. */
const CHECKPOINT_AFTER_LEDGERS = 20_000
/** Closed ledgers are written down as they are shown once this many bytes of them have gathered. */
const HISTORY_AFTER_BYTES = 64 * 1024
/** The file is rewritten, without what is no longer retained, when it has doubled and grown by this much. */
const REWRITE_AFTER_BYTES = 32 * 1024 * 1024

export interface Limits {
  readonly checkpointAfterBytes: number
  readonly checkpointAfterLedgers: number
  readonly historyAfterBytes: number
  readonly rewriteAfterBytes: number
}

const DEFAULT_LIMITS: Limits = {
  checkpointAfterBytes: CHECKPOINT_AFTER_BYTES,
  checkpointAfterLedgers: CHECKPOINT_AFTER_LEDGERS,
  historyAfterBytes: HISTORY_AFTER_BYTES,
  rewriteAfterBytes: REWRITE_AFTER_BYTES,
}

export interface LedgerStore {
  /** The latest ledger that the file holds, genesis for a new one. */
  readonly head: SealedHeader
  /** Returns when the ledger is on the disk. */
  readonly record: (close: LedgerClose, set: TransactionSet, closeTime: bigint) => void
  /** Sets a checkpoint when one is due; to be called once the recorded ledger is in the history. */
  readonly tidy: (head: SealedHeader) => void
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
  return { head, record: () => {}, tidy: () => {}, close: () => {} }
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

interface Found {
  readonly head: SealedHeader
  readonly settings: RecordedSettings | undefined
  /** What was replayed. */
  readonly ledgers: number
  readonly bytes: number
  /** The size of the last checkpoint's entries. */
  readonly stateBytes: number
}

/** Takes the last checkpoint, replays the records behind it, and says where the chain ends. */
const load = (
  records: ReadonlyArray<FileRecord>,
  chain: LedgerChain,
  history: History,
  passphrase: string,
  path: string,
): Found => {
  const at = records.findLastIndex(({ kind }) => kind === RecordKind.state)
  let settings: RecordedSettings | undefined
  let head: SealedHeader | undefined
  for (const record of records.slice(0, at + 1)) {
    const { kind, payload } = record
    if (kind === RecordKind.settings) settings = parseJson(payload) as RecordedSettings
    else if (isHistory(record)) loadHistory(record, history)
  }
  const stateBytes = records[at]?.payload
  if (stateBytes !== undefined) head = sealedFrom(loadState(stateBytes, chain.state))
  const checkpoint = head?.header.ledgerSeq ?? 0
  const start = (): SealedHeader => {
    const first = genesis(chain.state, settings ?? chain.settings, passphrase)
    history.add(first, [])
    return first
  }
  const advance = (set: TransactionSet, closeTime: bigint): SealedHeader => {
    const terms = { ...chain, settings: settings ?? chain.settings }
    const closed = closeLedger(terms, head ?? start(), set, closeTime)
    addToHistory(history, closed)
    return closed.header
  }
  const behind = records.slice(at + 1)
  for (const record of behind) {
    const { kind, payload } = record
    if (kind === RecordKind.settings) settings = parseJson(payload) as RecordedSettings
    else if (kind === RecordKind.emptyLedger) {
      head = advance({ frames: [], baseFee: 0n }, parseEmptyLedger(payload))
    } else if (kind === RecordKind.ledger) {
      const { closeTime, baseFee, hash, envelopes } = parseLedger(payload)
      const frames = envelopes.map((envelope) => frameOf(envelope, chain.networkId))
      head = advance({ frames, baseFee }, closeTime)
      if (head.hashHex !== hexOf(hash)) throw anotherVersion(path, head.header.ledgerSeq)
    } else if (!isHistory(record)) throw anotherVersion(path, head?.header.ledgerSeq ?? 1)
    // A history without a state behind it serves the next checkpoint; these ledgers have been replayed.
  }
  head ??= start()
  const bytes = behind.reduce((sum, record) => sum + (isHistory(record) ? 0 : record.payload.length), 0)
  const ledgers = head.header.ledgerSeq - checkpoint
  return { head, settings, ledgers, bytes, stateBytes: stateBytes?.length ?? 0 }
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

/** A rewritten file has no ledger before its first state: how much it began with; 0 when it never was rewritten. */
const rewrittenBytes = (records: ReadonlyArray<FileRecord>): number => {
  const head = records.slice(0, records.findIndex(({ kind }) => kind === RecordKind.state) + 1)
  const hasLedgers = head.some(({ kind }) => kind === RecordKind.ledger || kind === RecordKind.emptyLedger)
  return hasLedgers ? 0 : head.reduce((sum, { payload }) => sum + payload.length, 0)
}

/** @throws LedgerFileError, whose message is one sentence for whoever started the network */
export const fileStore = (
  path: string,
  chain: LedgerChain,
  history: History,
  passphrase: string,
  limits: Partial<Limits> = {},
): LedgerStore => {
  const file = openLedgerFile(path)
  try {
    begin(file, chain, passphrase)
    return storeOn(file, chain, history, passphrase, { ...DEFAULT_LIMITS, ...limits })
  } catch (error) {
    file.close()
    throw error
  }
}

const storeOn = (
  file: LedgerFile,
  chain: LedgerChain,
  history: History,
  passphrase: string,
  limits: Limits,
): LedgerStore => {
  const found = load(file.records.slice(1), chain, history, passphrase, file.path)
  const settings = recordedSettings(chain.settings)
  if (!Bun.deepEquals(found.settings, settings)) file.append([settingsRecord(settings)])
  const written = makeWrittenHistory(file, history)
  let { ledgers, bytes, stateBytes } = found
  let rewrittenSize = rewrittenBytes(file.records)
  /** Of ledgers whose history is not written yet. */
  let gathered = bytes

  const setCheckpoint = (head: SealedHeader): void => {
    const state = stateRecord(head.bytes, chain.state)
    if (file.size() >= 2 * rewrittenSize + limits.rewriteAfterBytes) {
      written.rewrite([identityRecord({ passphrase }), settingsRecord(settings)], state)
      rewrittenSize = file.size()
    } else written.append(state)
    stateBytes = state.payload.length
    ledgers = 0
    bytes = 0
    gathered = 0
  }
  return {
    head: found.head,
    record: ({ header }, set, closeTime) => {
      const envelopes = set.frames.map((frame) => frame.bytes)
      const record = ledgerRecord({ closeTime, baseFee: set.baseFee, hash: header.hash, envelopes })
      // Ledger by ledger, so that no checkpoint has to write the history of many at once.
      if (gathered < limits.historyAfterBytes) file.append([record])
      else {
        written.append(record)
        gathered = 0
      }
      ledgers++
      bytes += record.payload.length
      gathered += record.payload.length
    },
    tidy: (head) => {
      const due =
        bytes >= Math.max(limits.checkpointAfterBytes, stateBytes) || ledgers >= limits.checkpointAfterLedgers
      if (due) setCheckpoint(head)
    },
    close: file.close,
  }
}
