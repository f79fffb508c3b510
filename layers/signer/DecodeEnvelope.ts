/**
 * What a signer was asked to sign, decoded: a transaction, alone or inside a fee bump (CAP-15).
 *
 * Invariant: the hash that is signed is computed here, over the very values that the policy looks at, for the fixed
 * network. A hash or a decoding that came with the request would let the two differ.
 */
import { createHash } from "node:crypto"
import { encodeMuxedAccountToAddress, xdr } from "@stellar/stellar-sdk"

export interface FeeBump {
  /** G... or M... */
  readonly feeSource: string
  readonly feeStroops: bigint
  readonly signatures: ReadonlyArray<xdr.DecoratedSignature>
}

export interface DecodedEnvelope {
  /** Of a fee bump: the inner one. */
  readonly transaction: xdr.Transaction
  readonly transactionHash: Uint8Array
  /** On the transaction itself. */
  readonly signatures: ReadonlyArray<xdr.DecoratedSignature>
  readonly feeBump: FeeBump | undefined
  /** What is to be signed, 32 bytes: the transaction's hash, or the fee bump's. */
  readonly hash: Uint8Array
  /** The envelope (base64 XDR) with these signatures where it is to be signed. */
  readonly signedBy: (signatures: ReadonlyArray<xdr.DecoratedSignature>) => string
}

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest())

const decodeXdr = (envelopeXdr: string): xdr.TransactionEnvelope | undefined => {
  try {
    return xdr.TransactionEnvelope.fromXdr(envelopeXdr, "base64")
  } catch {
    return undefined
  }
}

const makeHash =
  (networkPassphrase: string) =>
  (taggedTransaction: xdr.TransactionSignaturePayloadTaggedTransaction): Uint8Array => {
    const networkId = sha256(new TextEncoder().encode(networkPassphrase))
    return sha256(new xdr.TransactionSignaturePayload({ networkId, taggedTransaction }).toXdr())
  }

/** Undefined for what is no envelope, and for the old kind (TransactionV0), which nothing of ours makes. */
export const decodeEnvelope = (
  envelopeXdr: string,
  networkPassphrase: string,
): DecodedEnvelope | undefined => {
  const envelope = decodeXdr(envelopeXdr)
  if (envelope === undefined || envelope.type === "envelopeTypeTxV0") return undefined
  const hashOf = makeHash(networkPassphrase)
  const { envelopeTypeTx, envelopeTypeTxFeeBump } = xdr.TransactionSignaturePayloadTaggedTransaction
  if (envelope.type === "envelopeTypeTx") {
    const { signatures, tx } = envelope.v1
    const hash = hashOf(envelopeTypeTx(tx))
    return {
      transaction: tx,
      transactionHash: hash,
      signatures,
      feeBump: undefined,
      hash,
      signedBy: (made) =>
        xdr.TransactionEnvelope.envelopeTypeTx(
          new xdr.TransactionV1Envelope({ tx, signatures: [...made] }),
        ).toXdr("base64"),
    }
  }
  const { signatures, tx } = envelope.feeBump
  const inner = tx.innerTx.v1
  return {
    transaction: inner.tx,
    transactionHash: hashOf(envelopeTypeTx(inner.tx)),
    signatures: inner.signatures,
    feeBump: { feeSource: encodeMuxedAccountToAddress(tx.feeSource), feeStroops: tx.fee, signatures },
    hash: hashOf(envelopeTypeTxFeeBump(tx)),
    signedBy: (made) =>
      xdr.TransactionEnvelope.envelopeTypeTxFeeBump(
        new xdr.FeeBumpTransactionEnvelope({ tx, signatures: [...made] }),
      ).toXdr("base64"),
  }
}
