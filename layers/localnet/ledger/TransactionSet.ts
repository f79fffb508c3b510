/**
 * The transactions of a ledger as consensus would agree to them: a GeneralizedTransactionSet whose SHA-256 is
 * the header's txSetHash (stellar-core src/herder/TxSetFrame.cpp).
 */
import { xdr } from "@stellar/stellar-sdk"
import { sha256 } from "./Codec.ts"
import type { EnvelopeFrame } from "./Frame.ts"
import { makeXdrWriter, type XdrWriter } from "./XdrWriter.ts"

export interface TransactionSet {
  /** Stroops for each operation: above the network's base fee when the set was full. */
  readonly baseFee: bigint
  readonly frames: ReadonlyArray<EnvelopeFrame>
}

const fullHashes = new WeakMap<EnvelopeFrame, Uint8Array>()

/** SHA-256 of the whole envelope, signatures included (getFullHash): what core orders and bans by. */
export const fullHash = (frame: EnvelopeFrame): Uint8Array => {
  const known = fullHashes.get(frame)
  if (known !== undefined) return known
  const made = sha256(frame.bytes)
  fullHashes.set(frame, made)
  return made
}

/** The same of a fee bump's inner transaction as it would stand alone (getInnerFullHash). */
export const innerFullHash = ({ envelope }: EnvelopeFrame): Uint8Array | undefined =>
  envelope.type === "envelopeTypeTxFeeBump"
    ? sha256(xdr.TransactionEnvelope.envelopeTypeTx(envelope.feeBump.tx.innerTx.v1).toXdr())
    : undefined

/** In hash order, as a set is written down (TxSetUtils::sortTxsInHashOrder). */
export const inHashOrder = (frames: ReadonlyArray<EnvelopeFrame>): ReadonlyArray<EnvelopeFrame> =>
  frames.toSorted((one, other) => Buffer.compare(fullHash(one), fullHash(other)))

const shared = makeXdrWriter()

/** The classic phase (v0): no component, or one that holds all transactions at one base fee. */
const writeClassicPhase = (out: XdrWriter, { baseFee, frames }: TransactionSet): void => {
  out.u32(0)
  out.u32(frames.length === 0 ? 0 : 1)
  if (frames.length === 0) return
  // TXSET_COMP_TXS_MAYBE_DISCOUNTED_FEE, with a base fee
  out.u32(0)
  out.u32(1)
  out.i64(baseFee)
  out.u32(frames.length)
  for (const { bytes } of frames) out.fixed(bytes)
}

/**
 * GeneralizedTransactionSet (Stellar-ledger.x) written from the envelopes' own bytes.
 * @param set its frames in hash order
 */
export const transactionSetHash = (set: TransactionSet, previousLedgerHash: Uint8Array): Uint8Array => {
  shared.clear()
  shared.u32(1)
  shared.fixed(previousLedgerHash)
  shared.u32(2)
  writeClassicPhase(shared, set)
  // Protocol 23's second phase (v1): Soroban transactions in parallel stages; no base fee, no stages.
  for (const value of [1, 0, 0]) shared.u32(value)
  return sha256(shared.written())
}

const xored = (hash: Uint8Array, by: Uint8Array): Uint8Array => hash.map((byte, at) => byte ^ (by[at] ?? 0))

/**
 * The order of application: shuffled by the set's hash, which nobody can choose (ApplyTxSorter). An account
 * has one transaction in a ledger, so no two have to keep an order of their own.
 */
export const inApplyOrder = (
  frames: ReadonlyArray<EnvelopeFrame>,
  setHash: Uint8Array,
): ReadonlyArray<EnvelopeFrame> =>
  frames
    .map((frame) => ({ frame, rank: xored(fullHash(frame), setHash) }))
    .sort((one, other) => Buffer.compare(one.rank, other.rank))
    .map(({ frame }) => frame)
