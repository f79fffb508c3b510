/**
 * A fee bump (CAP-15): another envelope of the same signed transaction, at the same sequence, that offers more. Pure.
 *
 * Invariant: the transaction inside is ours, byte for byte with its signatures; so whichever envelope is applied pays
 * the same rewards at the same sequence, and the bump needs no verdict of its own.
 */
import { decodeAddressToMuxedAccount, xdr } from "@stellar/stellar-sdk"

export interface FeeBump {
  /** Our signed TransactionEnvelope, base64 XDR; no fee bump itself. */
  readonly innerXdr: string
  /** Who pays: the channel's own account, G... */
  readonly feeAddress: string
  /** The whole fee, in stroops (src/issuance/FeeBid.ts). */
  readonly feeStroops: bigint
}

/**
 * Unsigned TransactionEnvelope, base64 XDR; the account at `feeAddress` must sign it. Built of XDR because the SDK's
 * own builder takes a rate, and multiplies: not every whole fee is a multiple of the operations.
 *
 * @throws Error where `innerXdr` is no transaction that may be wrapped
 */
export const buildFeeBump = ({ feeAddress, feeStroops, innerXdr }: FeeBump): string => {
  const inner = xdr.TransactionEnvelope.fromXDR(innerXdr, "base64")
  if (inner.type !== "envelopeTypeTx") throw new Error(`a fee bump cannot wrap an envelope of ${inner.type}`)
  const transaction = new xdr.FeeBumpTransaction({
    feeSource: decodeAddressToMuxedAccount(feeAddress),
    fee: feeStroops,
    innerTx: xdr.FeeBumpTransactionInnerTx.envelopeTypeTx(inner.v1),
    ext: xdr.FeeBumpTransactionExt.v0(),
  })
  return xdr.TransactionEnvelope.envelopeTypeTxFeeBump(
    new xdr.FeeBumpTransactionEnvelope({ tx: transaction, signatures: [] }),
  ).toXDR("base64")
}
