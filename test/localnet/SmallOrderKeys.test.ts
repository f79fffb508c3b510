/**
 * Keys of small order sign nothing. stellar-core, PubKeyUtils::verifySig: libsodium's crypto_sign_verify_detached,
 * from protocol 25 on ed25519-dalek's verify_strict (src/rust/src/ed25519_verify.rs: "to reject small-order and
 * mixed-order points, matching libsodium behavior").
 */
import { expect, test } from "bun:test"
import { Asset, Keypair, Operation, StrKey, xdr } from "@stellar/stellar-sdk"
import { codesOf, createAccountOperation, openTestNetwork, type TestNetwork, XLM } from "./TestNetwork.ts"

const P = 2n ** 255n - 19n
/** The order of the prime subgroup (RFC 8032, section 5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n
/** y of a point of order 8; the other one is -y. */
const ORDER_EIGHT = 2707385501144840649318225287225658788936804267575313519463743609750303402022n

const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn))

const fromLittleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)

/** Both signs of every y whose point has an order of 1, 2, 4 or 8, canonical or not. */
const encodings = [0n, 1n, ORDER_EIGHT, P - ORDER_EIGHT, P - 1n, P, P + 1n]
  .flatMap((y) => [y, y | (1n << 255n)])
  .map(littleEndian)

const payTo = (keys: Keypair) =>
  Operation.payment({ destination: keys.publicKey(), asset: Asset.native(), amount: "1" })

const answer = (tools: TestNetwork, keys: Keypair, fee: bigint, signature: Uint8Array): string => {
  const decorated = new xdr.DecoratedSignature({ hint: keys.signatureHint(), signature })
  const how = { fee, signers: [], signatures: () => [decorated] }
  const submission = tools.submit(tools.build(keys, [payTo(tools.root)], how))
  return submission.status === "ERROR" ? codesOf(submission.result).transaction : submission.status
}

test("S = 0 with R of small order is no signature of a key of small order", () => {
  const tools = openTestNetwork()
  for (const encoding of encodings) {
    const keys = Keypair.fromPublicKey(StrKey.encodeEd25519PublicKey(Buffer.from(encoding)))
    tools.run(tools.root, [createAccountOperation(keys, 100n * XLM)])
    const seen = new Set<string>()
    // Which R would do depends on the hash, that is: on any field of the transaction.
    for (let fee = 100n; fee < 104n; fee++) {
      for (const r of encodings) seen.add(answer(tools, keys, fee, Buffer.concat([r, new Uint8Array(32)])))
    }
    expect([Buffer.from(encoding).toString("hex"), ...seen]).toEqual([
      Buffer.from(encoding).toString("hex"),
      "txBadAuth",
    ])
  }
})

test("S is below the group's order: a signature has no second form", () => {
  const tools = openTestNetwork()
  const keys = tools.fundOne()
  const other = (payload: Uint8Array) => {
    const signature = keys.sign(payload)
    const s = littleEndian(fromLittleEndian(signature.subarray(32)) + L)
    const second = Buffer.concat([signature.subarray(0, 32), s])
    return [new xdr.DecoratedSignature({ hint: keys.signatureHint(), signature: second })]
  }
  expect(tools.run(keys, [payTo(tools.root)], { signers: [], signatures: other }).transaction).toBe(
    "txBadAuth",
  )
})
