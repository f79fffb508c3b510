/** Signed envelopes by the thousand: XDR by the SDK, signatures by node:crypto, so that making them is no wait. */
import { createPrivateKey, type KeyObject, sign } from "node:crypto"
import { hash, Keypair, xdr } from "@stellar/stellar-sdk"

/** PKCS#8 of an ed25519 seed up to the seed itself (RFC 8410). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")

export interface Person {
  readonly keys: Keypair
  readonly secret: KeyObject
}

export const personOf = (keys: Keypair): Person => {
  const key = Buffer.concat([PKCS8_PREFIX, keys.rawSecretKey()])
  return { keys, secret: createPrivateKey({ key, format: "der", type: "pkcs8" }) }
}

/** The same key pairs in every run. */
export const people = (group: number, count: number): ReadonlyArray<Person> =>
  Array.from({ length: count }, (_, index) => {
    const seed = Buffer.alloc(32)
    seed.writeUInt32BE(group, 0)
    seed.writeUInt32BE(index, 4)
    return personOf(Keypair.fromRawEd25519Seed(seed))
  })

const signature = ({ keys, secret }: Person, payload: Uint8Array): xdr.DecoratedSignature =>
  new xdr.DecoratedSignature({ hint: keys.signatureHint(), signature: sign(null, payload, secret) })

/** Base64 of the envelope, at 100 stroops for each operation. */
export const envelope = (
  passphrase: string,
  source: Person,
  sequence: bigint,
  operations: ReadonlyArray<xdr.Operation>,
  signers: ReadonlyArray<Person> = [source],
): string => {
  const tx = new xdr.Transaction({
    sourceAccount: xdr.MuxedAccount.keyTypeEd25519(source.keys.rawPublicKey()),
    fee: 100 * operations.length,
    seqNum: sequence,
    cond: xdr.Preconditions.precondNone(),
    memo: xdr.Memo.memoNone(),
    operations: [...operations],
    ext: xdr.TransactionExt.v0(),
  })
  const payload = hash(
    new xdr.TransactionSignaturePayload({
      networkId: hash(passphrase),
      taggedTransaction: xdr.TransactionSignaturePayloadTaggedTransaction.envelopeTypeTx(tx),
    }).toXdr(),
  )
  const signatures = signers.map((signer) => signature(signer, payload))
  return xdr.TransactionEnvelope.envelopeTypeTx(new xdr.TransactionV1Envelope({ tx, signatures })).toXdr(
    "base64",
  )
}
