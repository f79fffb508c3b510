/** Signatures, weights and thresholds: stellar-core src/transactions/SignatureChecker.cpp, OperationFrame.cpp. */
import { describe, expect, test } from "bun:test"
import { Asset, hash, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { bump } from "./Queueing.ts"
import { newKeys, openTestNetwork, transactionHash, XLM } from "./TestNetwork.ts"

const open = () => {
  const tools = openTestNetwork()
  const keys = tools.fundOne(100n * XLM)
  const nothing = (source?: Keypair) =>
    Operation.payment({
      destination: keys.publicKey(),
      asset: Asset.native(),
      amount: "1",
      ...(source === undefined ? {} : { source: source.publicKey() }),
    })
  return { ...tools, keys, nothing }
}

const signerOption = (key: xdr.SignerKey, weight: number): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: null,
    body: xdr.OperationBody.setOptions(
      new xdr.SetOptionsOp({
        inflationDest: null,
        clearFlags: null,
        setFlags: null,
        masterWeight: null,
        lowThreshold: null,
        medThreshold: null,
        highThreshold: null,
        homeDomain: null,
        signer: new xdr.Signer({ key, weight }),
      }),
    ),
  })

describe("the transaction's signatures", () => {
  test("none, a stranger's, or over something else: txBAD_AUTH", () => {
    const { run, keys, nothing } = open()
    expect(run(keys, [nothing()], { signers: [] }).transaction).toBe("txBadAuth")
    expect(run(keys, [nothing()], { signers: [newKeys()] }).transaction).toBe("txBadAuth")
    const elsewhere = () => [keys.signDecorated(hash("something else"))]
    expect(run(keys, [nothing()], { signers: [], signatures: elsewhere }).transaction).toBe("txBadAuth")
  })

  test("one too many: txBAD_AUTH_EXTRA, also for the same one twice", () => {
    const { run, keys, nothing } = open()
    expect(run(keys, [nothing()], { signers: [keys, newKeys()] }).transaction).toBe("txBadAuthExtra")
    // The second copy is never reached, so it stays unused.
    expect(run(keys, [nothing()], { signers: [keys, keys] }).transaction).toBe("txBadAuthExtra")
  })

  test("a hint of another key hides a good signature", () => {
    const { run, keys, nothing } = open()
    const hidden = (payload: Uint8Array) => [
      new xdr.DecoratedSignature({ hint: newKeys().signatureHint(), signature: keys.sign(payload) }),
    ]
    expect(run(keys, [nothing()], { signers: [], signatures: hidden }).transaction).toBe("txBadAuth")
  })

  test("a master key of weight 0 signs nothing; a signer in its place does", () => {
    const { run, keys, nothing } = open()
    const other = newKeys()
    run(keys, [
      Operation.setOptions({ masterWeight: 0, signer: { ed25519PublicKey: other.publicKey(), weight: 1 } }),
    ])
    expect(run(keys, [nothing()]).transaction).toBe("txBadAuth")
    expect(run(keys, [nothing()], { signers: [other] }).transaction).toBe("txSuccess")
  })
})

describe("thresholds", () => {
  test("the low one for the transaction, medium for a payment, high for what changes signers", () => {
    const { run, keys, nothing } = open()
    const two = newKeys()
    run(keys, [
      Operation.setOptions({
        lowThreshold: 1,
        medThreshold: 2,
        highThreshold: 3,
        signer: { ed25519PublicKey: two.publicKey(), weight: 1 },
      }),
    ])
    expect(run(keys, [nothing()])).toMatchObject({ transaction: "txFailed", operations: ["opBadAuth"] })
    expect(run(keys, [nothing()], { signers: [keys, two] }).transaction).toBe("txSuccess")
    const raise = Operation.setOptions({ lowThreshold: 2 })
    expect(run(keys, [raise], { signers: [keys, two] }).operations).toEqual(["opBadAuth"])
    // A home domain is of medium weight.
    const domain = Operation.setOptions({ homeDomain: "nova.example" })
    expect(run(keys, [domain], { signers: [keys, two] }).transaction).toBe("txSuccess")
  })

  test("an operation's own source has to sign as well: opBAD_AUTH, opNO_ACCOUNT", () => {
    const { run, keys, nothing, fundOne } = open()
    const other = fundOne()
    expect(run(keys, [nothing(other)]).operations).toEqual(["opBadAuth"])
    expect(run(keys, [nothing(other)], { signers: [keys, other] }).transaction).toBe("txSuccess")
    // A source that does not exist but signed passes validation, and fails when applied (fee taken).
    const ghost = newKeys()
    expect(run(keys, [nothing(ghost)]).operations).toEqual(["opBadAuth"])
    expect(run(keys, [nothing(ghost)], { signers: [keys, ghost] }).operations).toEqual(["opNoAccount"])
  })
})

describe("other kinds of signer", () => {
  test("hash(x): whoever shows the preimage", () => {
    const { run, keys, nothing } = open()
    const preimage = new TextEncoder().encode("open sesame")
    const digest = hash(preimage)
    run(keys, [signerOption(xdr.SignerKey.signerKeyTypeHashX(digest), 1)])
    const shown = (signature: Uint8Array) => () => [
      new xdr.DecoratedSignature({ hint: digest.subarray(28), signature }),
    ]
    const wrong = shown(new TextEncoder().encode("open barley"))
    expect(run(keys, [nothing()], { signers: [], signatures: wrong }).transaction).toBe("txBadAuth")
    expect(run(keys, [nothing()], { signers: [], signatures: shown(preimage) }).transaction).toBe("txSuccess")
  })

  test("a pre-authorised transaction needs no signature, and its signer is gone afterwards", () => {
    const { run, apply, build, account, keys, nothing } = open()
    const { seqNum } = account(keys)
    const later = build(keys, [nothing()], { signers: [], sequence: seqNum + 2n })
    const key = xdr.SignerKey.signerKeyTypePreAuthTx(Buffer.from(later.hash, "hex"))
    run(keys, [signerOption(key, 1)])
    expect(account(keys).numSubEntries).toBe(1)
    expect(apply(later).transaction).toBe("txSuccess")
    expect(account(keys).signers).toHaveLength(0)
    expect(account(keys).numSubEntries).toBe(0)
  })

  test("a pre-authorised transaction takes its signer off its operations' sources as well", () => {
    // TransactionFrame::removeOneTimeSignerFromAllSourceAccounts.
    const { run, apply, build, account, fundOne, keys, nothing } = open()
    const other = fundOne()
    const later = build(keys, [nothing(other)])
    const key = xdr.SignerKey.signerKeyTypePreAuthTx(Buffer.from(later.hash, "hex"))
    run(other, [signerOption(key, 1)])
    expect(account(other).signers).toHaveLength(1)
    expect(apply(later).transaction).toBe("txSuccess")
    expect(account(other).signers).toHaveLength(0)
    expect(account(other).numSubEntries).toBe(0)
  })

  test("a pre-authorised fee bump: the payer does not sign, and its signer is gone afterwards", () => {
    // FeeBumpTransactionFrame::removeOneTimeSignerKeyFromFeeSource.
    const tools = open()
    const { run, apply, build, account, balance, keys, nothing } = tools
    const payer = tools.fundOne()
    const bumped = bump(tools, build(keys, [nothing()]), payer, 400n, [])
    const key = xdr.SignerKey.signerKeyTypePreAuthTx(Buffer.from(bumped.hash, "hex"))
    run(payer, [signerOption(key, 1)])
    expect(account(payer).signers).toHaveLength(1)
    const before = balance(payer)
    expect(apply(bumped).transaction).toBe("txFeeBumpInnerSuccess")
    expect(balance(payer)).toBe(before - 200n)
    expect(account(payer).signers).toHaveLength(0)
    expect(account(payer).numSubEntries).toBe(0)
  })

  test("a signed payload (CAP-40): the hint mixes key and payload", () => {
    const { run, keys, nothing } = open()
    const holder = newKeys()
    const payload = new TextEncoder().encode("agreed!")
    const inner = new xdr.SignerKeyEd25519SignedPayload({ ed25519: holder.rawPublicKey(), payload })
    run(keys, [signerOption(xdr.SignerKey.signerKeyTypeEd25519SignedPayload(inner), 1)])
    const hint = holder.signatureHint().map((byte, at) => byte ^ (payload[payload.length - 4 + at] ?? 0))
    const shown = () => [new xdr.DecoratedSignature({ hint, signature: holder.sign(payload) })]
    expect(run(keys, [nothing()], { signers: [], signatures: shown }).transaction).toBe("txSuccess")
  })
})

test("the transaction hash does not depend on the signatures", () => {
  const { build, keys, nothing } = open()
  const one = build(keys, [nothing()])
  const other = build(keys, [nothing()], { signers: [] })
  expect(one.hash).toBe(other.hash)
  const envelope = xdr.TransactionEnvelope.fromXdr(one.envelopeXdr, "base64")
  if (envelope.type !== "envelopeTypeTx") throw new Error("not v1")
  expect(Buffer.from(transactionHash(envelope.v1.tx)).toString("hex")).toBe(one.hash)
})
