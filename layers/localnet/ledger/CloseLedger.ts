/**
 * Closing one ledger: fees of all its transactions, then each transaction in apply order, then the header
 * (stellar-core src/ledger/LedgerManagerImpl.cpp applyLedger). The outcome follows from the previous ledger,
 * the transaction set and the close time alone, so a recorded ledger can be replayed.
 */
import { type AppliedChanges, applyTransaction, chargeFee } from "./Apply.ts"
import { sha256 } from "./Codec.ts"
import type { EnvelopeFrame } from "./Frame.ts"
import { type HeaderSettings, nextHeader, type SealedHeader } from "./Header.ts"
import type { LedgerTerms } from "./Reserves.ts"
import { transactionResultBytes, type Verdict } from "./Results.ts"
import type { EntryChange, LedgerState } from "./State.ts"
import { stateHashAfter } from "./StateHash.ts"
import { inApplyOrder, type TransactionSet, transactionSetHash } from "./TransactionSet.ts"

export interface IncludedTransaction {
  readonly frame: EnvelopeFrame
  readonly verdict: Verdict
  readonly resultBytes: Uint8Array
  readonly feeChanges: ReadonlyArray<EntryChange>
  readonly changes: AppliedChanges
}

export interface LedgerClose {
  readonly header: SealedHeader
  readonly included: ReadonlyArray<IncludedTransaction>
}

export interface LedgerChain {
  readonly state: LedgerState
  readonly settings: HeaderSettings
  readonly networkId: Uint8Array
}

export const termsAt = (chain: LedgerChain, sequence: number, closeTime: bigint): LedgerTerms => ({
  sequence,
  closeTime,
  baseFee: BigInt(chain.settings.baseFeeStroops),
  baseReserve: BigInt(chain.settings.baseReserveStroops),
  protocolVersion: chain.settings.protocolVersion,
  networkId: chain.networkId,
})

const count = (length: number): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/** SHA-256 of TransactionResultSet: the pairs of hash and result in apply order. */
const resultSetHash = (included: ReadonlyArray<IncludedTransaction>): Uint8Array =>
  sha256(
    count(included.length),
    ...included.flatMap(({ frame, resultBytes }) => [frame.hashBytes, resultBytes]),
  )

const chargeAll = (
  ordered: ReadonlyArray<EnvelopeFrame>,
  state: LedgerState,
  baseFee: bigint,
): ReadonlyArray<{ frame: EnvelopeFrame; fee: bigint; feeChanges: ReadonlyArray<EntryChange> }> =>
  ordered.map((frame) => {
    state.begin()
    const fee = chargeFee(frame, state, baseFee)
    return { frame, fee, feeChanges: state.commit() }
  })

/** @param set its frames in hash order */
export const closeLedger = (
  chain: LedgerChain,
  previous: SealedHeader,
  set: TransactionSet,
  closeTime: bigint,
): LedgerClose => {
  const { state } = chain
  if (set.frames.length === 0) {
    return { header: emptyHeader(chain.settings, previous, closeTime), included: [] }
  }
  const terms = termsAt(chain, previous.header.ledgerSeq + 1, closeTime)
  const txSetHash = transactionSetHash(set, previous.hash)
  state.building(terms.sequence)
  state.begin()
  const charged = chargeAll(inApplyOrder(set.frames, txSetHash), state, set.baseFee)
  const sequences = new Map(set.frames.map(({ inner }) => [inner.source, inner.sequence]))
  const included = charged.map(({ frame, fee, feeChanges }): IncludedTransaction => {
    const { verdict, changes } = applyTransaction(frame, state, terms, fee, sequences)
    return { frame, verdict, resultBytes: transactionResultBytes(frame, verdict), feeChanges, changes }
  })
  const header = nextHeader(previous, chain.settings, {
    closeTime,
    txSetHash,
    resultHash: resultSetHash(included),
    stateHash: stateHashAfter(previous.header.bucketListHash.value, state.commit()),
    fees: charged.reduce((sum, { fee }) => sum + fee, 0n),
  })
  return { header, included }
}

/** The header of a ledger without transactions: it follows from the previous one and the close time. */
export const emptyHeader = (
  settings: HeaderSettings,
  previous: SealedHeader,
  closeTime: bigint,
): SealedHeader =>
  nextHeader(previous, settings, {
    closeTime,
    txSetHash: transactionSetHash({ frames: [], baseFee: 0n }, previous.hash),
    resultHash: resultSetHash([]),
    stateHash: previous.header.bucketListHash.value,
    fees: 0n,
  })
