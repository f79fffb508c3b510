/** What the queue's tests share: transactions to fill it with, fee bumps, and ledgers that leave all out. */
import { Asset, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { codesOf, type TestNetwork, transactionHash } from "./TestNetwork.ts"

export const toSelf = (keys: Keypair) =>
  Operation.payment({ destination: keys.publicKey(), asset: Asset.native(), amount: "1" })

export const many = (keys: Keypair, count: number) => Array.from({ length: count }, () => toSelf(keys))

const networkIdOf = (tools: TestNetwork) => Buffer.from(tools.network.networkId, "hex")

/** A fee bump of an envelope; its hash by the definition. */
export const bump = (
  tools: TestNetwork,
  inner: { envelopeXdr: string },
  payer: Keypair,
  fee: bigint,
  signers: ReadonlyArray<Keypair> = [payer],
) => {
  const envelope = xdr.TransactionEnvelope.fromXdr(inner.envelopeXdr, "base64")
  if (envelope.type !== "envelopeTypeTx") throw new Error("not v1")
  const tx = new xdr.FeeBumpTransaction({
    feeSource: xdr.MuxedAccount.keyTypeEd25519(payer.rawPublicKey()),
    fee,
    innerTx: xdr.FeeBumpTransactionInnerTx.envelopeTypeTx(envelope.v1),
    ext: xdr.FeeBumpTransactionExt.v0(),
  })
  const payload = new xdr.TransactionSignaturePayload({
    networkId: networkIdOf(tools),
    taggedTransaction: xdr.TransactionSignaturePayloadTaggedTransaction.envelopeTypeTxFeeBump(tx),
  })
  const digest = new Bun.CryptoHasher("sha256").update(payload.toXdr()).digest()
  const signed = new xdr.FeeBumpTransactionEnvelope({
    tx,
    signatures: signers.map((signer) => signer.signDecorated(digest)),
  })
  return {
    hash: digest.toString("hex"),
    innerHash: Buffer.from(transactionHash(envelope.v1.tx)).toString("hex"),
    envelopeXdr: xdr.TransactionEnvelope.envelopeTypeTxFeeBump(signed).toXdr("base64"),
  }
}

/** Closes a ledger that leaves out all that waits, as other validators' choice may. */
export const closeWithout = ({ network }: TestNetwork) =>
  network.closeLedger(network.latest().closeTime + 5, { leaveOut: () => true, bring: [] })

export const refusal = (tools: TestNetwork, envelope: { envelopeXdr: string }) => {
  const submission = tools.submit(envelope)
  return submission.status === "ERROR" ? codesOf(submission.result) : submission.status
}
