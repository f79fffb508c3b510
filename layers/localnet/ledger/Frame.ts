/**
 * A transaction as the engine handles it: the decoded envelope with its hash, sources, fee and conditions at
 * hand, and with a memory of the signatures already verified.
 */
import { xdr } from "@stellar/stellar-sdk"
import { hexOf, muxedAccountOf, sha256, signerKeyOf } from "./Codec.ts"
import type { AccountKey, SignerKeyText } from "./Entries.ts"

export interface SignatureFrame {
  /** Hex. */
  readonly hint: string
  readonly signature: Uint8Array
  /** What verification against a key (by its hex) gave; core keeps such a cache too (PubKeyUtils::verifySig). */
  readonly verified: Map<string, boolean>
}

export interface OperationFrame {
  readonly index: number
  readonly body: xdr.OperationBody
  readonly source: AccountKey
  /** Whether the operation names its source itself. */
  readonly ownSource: boolean
}

/** Preconditions with core's defaults filled in (TransactionFrame::getTimeBounds and its neighbours). */
export interface Conditions {
  readonly minTime: bigint
  /** 0 is no limit. */
  readonly maxTime: bigint
  readonly minLedger: number
  /** Exclusive; 0 is no limit. */
  readonly maxLedger: number
  readonly minSequence: bigint | null
  readonly minSequenceAge: bigint
  readonly minSequenceLedgerGap: number
  readonly extraSigners: ReadonlyArray<SignerKeyText>
}

/** What every transaction has, whether it stands alone or inside a fee bump. */
export interface TransactionFrame {
  readonly hash: string
  readonly hashBytes: Uint8Array
  readonly source: AccountKey
  readonly sequence: bigint
  /** The whole fee that the envelope offers, in stroops. */
  readonly fee: bigint
  readonly operations: ReadonlyArray<OperationFrame>
  readonly conditions: Conditions
  readonly signatures: ReadonlyArray<SignatureFrame>
  /** Transaction.ext is v1 (Soroban resources). */
  readonly sorobanData: boolean
}

/** What is submitted, queued and included. */
export interface EnvelopeFrame {
  readonly envelope: xdr.TransactionEnvelope
  readonly bytes: Uint8Array
  /** Of the envelope: the fee bump's own hash for a fee bump. */
  readonly hash: string
  readonly hashBytes: Uint8Array
  readonly inner: TransactionFrame
  readonly feeBump: boolean
  readonly feeSource: AccountKey
  /** The fee that counts in the auction, in stroops: the fee bump's for a fee bump. */
  readonly fee: bigint
  /** Operations that count against the ledger's capacity and for the fee: inner + 1 for a fee bump (CAP-15). */
  readonly operationCount: number
  /** Of the fee bump; the inner transaction's for a plain one. */
  readonly signatures: ReadonlyArray<SignatureFrame>
}

const NO_CONDITIONS: Conditions = {
  minTime: 0n,
  maxTime: 0n,
  minLedger: 0,
  maxLedger: 0,
  minSequence: null,
  minSequenceAge: 0n,
  minSequenceLedgerGap: 0,
  extraSigners: [],
}

const conditionsOf = (conditions: xdr.Preconditions): Conditions => {
  switch (conditions.type) {
    case "precondNone":
      return NO_CONDITIONS
    case "precondTime":
      return {
        ...NO_CONDITIONS,
        minTime: conditions.timeBounds.minTime,
        maxTime: conditions.timeBounds.maxTime,
      }
    case "precondV2": {
      const { v2 } = conditions
      return {
        minTime: v2.timeBounds?.minTime ?? 0n,
        maxTime: v2.timeBounds?.maxTime ?? 0n,
        minLedger: v2.ledgerBounds?.minLedger ?? 0,
        maxLedger: v2.ledgerBounds?.maxLedger ?? 0,
        minSequence: v2.minSeqNum,
        minSequenceAge: v2.minSeqAge,
        minSequenceLedgerGap: v2.minSeqLedgerGap,
        extraSigners: v2.extraSigners.map(signerKeyOf),
      }
    }
  }
}

const signatureFrames = (signatures: ReadonlyArray<xdr.DecoratedSignature>): Array<SignatureFrame> =>
  signatures.map(({ hint, signature }) => ({
    hint: hexOf(hint.value),
    signature: signature.value,
    verified: new Map(),
  }))

/** DecoratedSignature signatures<20>: a count, then hint, length and padded bytes of each. */
const signaturesLength = (signatures: ReadonlyArray<xdr.DecoratedSignature>): number =>
  signatures.reduce((sum, { signature }) => sum + 8 + Math.ceil(signature.value.length / 4) * 4, 4)

const innerFrame = (
  v1: xdr.TransactionV1Envelope,
  bytes: Uint8Array,
  network: Uint8Array,
): TransactionFrame => {
  const { tx } = v1
  const source = muxedAccountOf(tx.sourceAccount)
  // The signature payload is the network id, the envelope type and the transaction: the envelope's own
  // bytes up to its signatures (TransactionSignaturePayload, Stellar-transaction.x).
  const hashBytes = sha256(network, bytes.subarray(0, bytes.length - signaturesLength(v1.signatures)))
  return {
    hash: hexOf(hashBytes),
    hashBytes,
    source,
    sequence: tx.seqNum,
    fee: BigInt(tx.fee),
    operations: tx.operations.map((operation, index) => ({
      index,
      body: operation.body,
      source: operation.sourceAccount === null ? source : muxedAccountOf(operation.sourceAccount),
      ownSource: operation.sourceAccount !== null,
    })),
    conditions: conditionsOf(tx.cond),
    signatures: signatureFrames(v1.signatures),
    sorobanData: tx.ext.type !== "v0",
  }
}

/**
 * A TransactionV0 is taken as the v1 transaction that it equals, with the same hash, as core does on entry
 * (src/transactions/TransactionBridge.cpp convertForV13).
 */
const asV1 = ({ tx, signatures }: xdr.TransactionV0Envelope): xdr.TransactionV1Envelope =>
  new xdr.TransactionV1Envelope({
    tx: new xdr.Transaction({
      sourceAccount: xdr.MuxedAccount.keyTypeEd25519(tx.sourceAccountEd25519),
      fee: tx.fee,
      seqNum: tx.seqNum,
      cond:
        tx.timeBounds === null
          ? xdr.Preconditions.precondNone()
          : xdr.Preconditions.precondTime(tx.timeBounds),
      memo: tx.memo,
      operations: tx.operations,
      ext: xdr.TransactionExt.v0(),
    }),
    signatures,
  })

const feeBumpFrame = (
  envelope: xdr.TransactionEnvelope,
  { tx, signatures }: xdr.FeeBumpTransactionEnvelope,
  bytes: Uint8Array,
  network: Uint8Array,
): EnvelopeFrame => {
  const innerV1 = tx.innerTx.v1
  const inner = innerFrame(innerV1, xdr.TransactionEnvelope.envelopeTypeTx(innerV1).toXdr(), network)
  const hashBytes = sha256(network, bytes.subarray(0, bytes.length - signaturesLength(signatures)))
  return {
    envelope,
    bytes,
    hash: hexOf(hashBytes),
    hashBytes,
    inner,
    feeBump: true,
    feeSource: muxedAccountOf(tx.feeSource),
    fee: tx.fee,
    operationCount: inner.operations.length + 1,
    signatures: signatureFrames(signatures),
  }
}

/** @throws XdrError when the bytes are not exactly one TransactionEnvelope. */
export const frameOf = (bytes: Uint8Array, networkId: Uint8Array): EnvelopeFrame => {
  const envelope = xdr.TransactionEnvelope.fromXdr(bytes)
  if (envelope.type === "envelopeTypeTxFeeBump") {
    return feeBumpFrame(envelope, envelope.feeBump, bytes, networkId)
  }
  if (envelope.type === "envelopeTypeTxV0") {
    return frameOf(xdr.TransactionEnvelope.envelopeTypeTx(asV1(envelope.v0)).toXdr(), networkId)
  }
  const inner = innerFrame(envelope.v1, bytes, networkId)
  return {
    envelope,
    bytes,
    hash: inner.hash,
    hashBytes: inner.hashBytes,
    inner,
    feeBump: false,
    feeSource: inner.source,
    fee: inner.fee,
    operationCount: inner.operations.length,
    signatures: inner.signatures,
  }
}
