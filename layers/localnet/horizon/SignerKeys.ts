import { StrKey, type xdr } from "@stellar/stellar-sdk"

export interface SignerName {
  readonly key: string
  readonly type: "ed25519_public_key" | "preauth_tx" | "sha256_hash" | "ed25519_signed_payload"
}

/** A signer's strkey (SEP-23) and the name that Horizon gives its kind (protocols/horizon KeyTypeNames). */
export const signerName = (key: xdr.SignerKey): SignerName => {
  switch (key.type) {
    case "signerKeyTypeEd25519":
      return { key: StrKey.encodeEd25519PublicKey(key.ed25519.toBytes()), type: "ed25519_public_key" }
    case "signerKeyTypePreAuthTx":
      return { key: StrKey.encodePreAuthTx(key.preAuthTx.toBytes()), type: "preauth_tx" }
    case "signerKeyTypeHashX":
      return { key: StrKey.encodeSha256Hash(key.hashX.toBytes()), type: "sha256_hash" }
    case "signerKeyTypeEd25519SignedPayload":
      return {
        // The strkey's payload is the XDR of the signed payload itself: key, length, bytes, padding.
        key: StrKey.encodeSignedPayload(key.ed25519SignedPayload.toXdr()),
        type: "ed25519_signed_payload",
      }
  }
}
