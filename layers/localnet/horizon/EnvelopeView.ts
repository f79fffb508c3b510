import { StrKey, type xdr } from "@stellar/stellar-sdk"

/** One account as an envelope names it: its G address and, where it was muxed, the M address and its id. */
export interface AccountRef {
  readonly address: string
  readonly muxed?: { readonly address: string; readonly id: string }
}

/**
 * What is common to the three kinds of envelope. For a fee bump everything but `fee...` and `signatures`
 * speaks of the inner transaction, as in Horizon's transaction resource.
 */
export interface EnvelopeView {
  readonly source: AccountRef
  readonly sequence: bigint
  readonly operations: ReadonlyArray<xdr.Operation>
  readonly memo: xdr.Memo
  readonly preconditions: xdr.Preconditions | undefined
  readonly maxFeeStroops: bigint
  /** Operations that the fee pays for: those inside, plus one for a fee bump (CAP-15). */
  readonly feeOperations: number
  readonly signatures: ReadonlyArray<string>
  readonly feeBump?: {
    readonly source: AccountRef
    readonly innerMaxFeeStroops: bigint
    readonly innerSignatures: ReadonlyArray<string>
  }
}

export const addressOf = (key: xdr.PublicKey): string => StrKey.encodeEd25519PublicKey(key.ed25519.toBytes())

const muxedPayload = (id: bigint, ed25519: Uint8Array): Uint8Array => {
  const payload = new Uint8Array(ed25519.length + 8)
  payload.set(ed25519)
  new DataView(payload.buffer).setBigUint64(ed25519.length, id)
  return payload
}

/** Payload of an M address (SEP-23): the 32-byte key, then the id, big-endian. */
export const accountRef = (account: xdr.MuxedAccount): AccountRef => {
  if (account.type === "keyTypeEd25519") {
    return { address: StrKey.encodeEd25519PublicKey(account.ed25519.toBytes()) }
  }
  const { id, ed25519 } = account.med25519
  const bytes = ed25519.toBytes()
  return {
    address: StrKey.encodeEd25519PublicKey(bytes),
    muxed: {
      address: StrKey.encodeMed25519PublicKey(muxedPayload(id, bytes)),
      id: id.toString(),
    },
  }
}

const signaturesOf = (signatures: ReadonlyArray<xdr.DecoratedSignature>): ReadonlyArray<string> =>
  signatures.map((decorated) => Buffer.from(decorated.signature.toBytes()).toString("base64"))

const viewV0 = (envelope: xdr.TransactionV0Envelope): EnvelopeView => ({
  source: { address: StrKey.encodeEd25519PublicKey(envelope.tx.sourceAccountEd25519.toBytes()) },
  sequence: envelope.tx.seqNum,
  operations: envelope.tx.operations,
  memo: envelope.tx.memo,
  preconditions: undefined,
  maxFeeStroops: BigInt(envelope.tx.fee),
  feeOperations: envelope.tx.operations.length,
  signatures: signaturesOf(envelope.signatures),
})

const viewV1 = (envelope: xdr.TransactionV1Envelope): EnvelopeView => ({
  source: accountRef(envelope.tx.sourceAccount),
  sequence: envelope.tx.seqNum,
  operations: envelope.tx.operations,
  memo: envelope.tx.memo,
  preconditions: envelope.tx.cond,
  maxFeeStroops: BigInt(envelope.tx.fee),
  feeOperations: envelope.tx.operations.length,
  signatures: signaturesOf(envelope.signatures),
})

export const envelopeView = (envelope: xdr.TransactionEnvelope): EnvelopeView => {
  switch (envelope.type) {
    case "envelopeTypeTxV0":
      return viewV0(envelope.v0)
    case "envelopeTypeTx":
      return viewV1(envelope.v1)
    case "envelopeTypeTxFeeBump": {
      const { tx, signatures } = envelope.feeBump
      const inner = viewV1(tx.innerTx.v1)
      return {
        ...inner,
        maxFeeStroops: tx.fee,
        feeOperations: inner.feeOperations + 1,
        signatures: signaturesOf(signatures),
        feeBump: {
          source: accountRef(tx.feeSource),
          innerMaxFeeStroops: inner.maxFeeStroops,
          innerSignatures: inner.signatures,
        },
      }
    }
  }
}
