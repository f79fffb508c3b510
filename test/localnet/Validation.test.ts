/** Refusals before inclusion: stellar-core TransactionFrame.cpp commonValid and checkValid. Nothing is consumed. */
import { describe, expect, test } from "bun:test"
import { Asset, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { MalformedEnvelope } from "../../layers/localnet/Network.ts"
import { conditions, ledgerBounds, timeBounds } from "./Conditions.ts"
import { type Building, newKeys, openTestNetwork, XLM } from "./TestNetwork.ts"

const open = () => {
  const tools = openTestNetwork()
  const keys = tools.fundOne(100n * XLM)
  const nothing = Operation.payment({ destination: keys.publicKey(), asset: Asset.native(), amount: "1" })
  /** What a transaction with these conditions gets now, and proof that a refusal left the account alone. */
  const attempt = (how: Building): string => {
    const before = tools.account(keys)
    const codes = tools.run(keys, [nothing], how)
    if (codes.transaction !== "txSuccess") expect(tools.account(keys)).toEqual(before)
    return codes.transaction
  }
  return { ...tools, keys, nothing, attempt }
}

describe("envelopes", () => {
  test("what is no base64, no XDR, too short or too long is malformed", () => {
    const { network, build, keys, nothing } = open()
    const good = build(keys, [nothing]).envelopeXdr
    const longer = Buffer.concat([Buffer.from(good, "base64"), Buffer.alloc(4)]).toString("base64")
    for (const bad of ["", "%%%", "AAAA", good.slice(0, 40), longer]) {
      expect(() => network.submit(bad)).toThrow(MalformedEnvelope)
    }
  })

  test("the hash is the SHA-256 of the signature payload, and a wrong passphrase is a wrong signature", () => {
    const { network, build, keys, nothing } = open()
    const built = build(keys, [nothing])
    expect(network.submit(built.envelopeXdr)).toEqual({ status: "PENDING", hash: built.hash })
    const elsewhere = openTestNetwork({ passphrase: "Another network" })
    const submitted = elsewhere.network.submit(built.envelopeXdr)
    expect(submitted.status).toBe("ERROR")
    expect(submitted.hash).not.toBe(built.hash)
  })

  test("txMISSING_OPERATION", () => {
    const { run, keys } = open()
    expect(run(keys, [], { fee: 100n }).transaction).toBe("txMissingOperation")
  })

  test("a TransactionV0 is taken as the v1 transaction that it equals (TransactionBridge convertForV13)", () => {
    const { network, build, close, keys, nothing } = open()
    const v1 = xdr.TransactionEnvelope.fromXdr(build(keys, [nothing]).envelopeXdr, "base64")
    if (v1.type !== "envelopeTypeTx") throw new Error("not v1")
    const { fee, seqNum, memo, operations } = v1.v1.tx
    const tx = new xdr.TransactionV0({
      sourceAccountEd25519: keys.rawPublicKey(),
      fee,
      seqNum,
      timeBounds: null,
      memo,
      operations,
      ext: xdr.TransactionV0Ext.v0(),
    })
    const { signatures } = v1.v1
    const v0 = xdr.TransactionEnvelope.envelopeTypeTxV0(new xdr.TransactionV0Envelope({ tx, signatures }))
    const submitted = network.submit(v0.toXdr("base64"))
    expect(submitted.status).toBe("PENDING")
    close()
    expect(network.transaction(submitted.hash)?.successful).toBe(true)
  })
})

describe("fee, account, sequence", () => {
  test("txINSUFFICIENT_FEE states the minimum in feeCharged", () => {
    const { run, keys, nothing } = open()
    expect(run(keys, [nothing, nothing], { fee: 199n })).toEqual({
      transaction: "txInsufficientFee",
      operations: [],
      feeCharged: 200n,
    })
  })

  test("txNO_ACCOUNT", () => {
    const { run, nothing } = open()
    expect(run(newKeys(), [nothing]).transaction).toBe("txNoAccount")
  })

  test("txBAD_SEQ for anything but the next number", () => {
    const { account, keys, attempt } = open()
    const { seqNum } = account(keys)
    expect(attempt({ sequence: seqNum })).toBe("txBadSeq")
    expect(attempt({ sequence: seqNum + 2n })).toBe("txBadSeq")
    expect(attempt({ sequence: seqNum - 1n })).toBe("txBadSeq")
    expect(attempt({ sequence: seqNum + 1n })).toBe("txSuccess")
  })

  test("txBAD_SEQ for a number that the ledger hands out to new accounts (isBadSeq)", () => {
    const { network, account, keys, attempt } = open()
    const starting = BigInt(network.latest().sequence + 1) << 32n
    const leap = conditions({ minSeqNum: account(keys).seqNum })
    expect(attempt({ sequence: starting, conditions: leap })).toBe("txBadSeq")
  })

  test("txINSUFFICIENT_BALANCE: the fee has to come from above the reserve", () => {
    const tools = openTestNetwork()
    const poor = tools.fundOne(XLM + 99n)
    const nothing = Operation.payment({ destination: poor.publicKey(), asset: Asset.native(), amount: "1" })
    expect(tools.run(poor, [nothing])).toMatchObject({
      transaction: "txInsufficientBalance",
      feeCharged: 100n,
    })
    const enough = tools.fundOne(XLM + 100n)
    expect(tools.run(enough, [nothing]).operations).toEqual(["paymentUnderfunded"])
  })

  test("an operation that this network does not apply is refused as core refuses one", () => {
    const { run, keys } = open()
    const inflation = Operation.inflation()
    expect(run(keys, [inflation])).toMatchObject({ transaction: "txFailed", operations: ["opNotSupported"] })
  })

  test("Soroban resources on a classic transaction are txMALFORMED (protocol 21)", () => {
    const { network, keys, nothing, build } = open()
    const v1 = xdr.TransactionEnvelope.fromXdr(build(keys, [nothing]).envelopeXdr, "base64")
    if (v1.type !== "envelopeTypeTx") throw new Error("not v1")
    const data = new xdr.SorobanTransactionData({
      ext: xdr.SorobanTransactionDataExt.v0(),
      resources: new xdr.SorobanResources({
        footprint: new xdr.LedgerFootprint({ readOnly: [], readWrite: [] }),
        instructions: 0,
        diskReadBytes: 0,
        writeBytes: 0,
      }),
      resourceFee: 0n,
    })
    const tx = new xdr.Transaction({ ...v1.v1.tx, ext: xdr.TransactionExt.sorobanData(data) })
    const envelope = xdr.TransactionEnvelope.envelopeTypeTx(
      new xdr.TransactionV1Envelope({ tx, signatures: [] }),
    )
    const submitted = network.submit(envelope.toXdr("base64"))
    expect(submitted.status === "ERROR" && submitted.result.result.type).toBe("txMalformed")
  })
})

describe("time and ledger bounds", () => {
  test("minTime counts against the last close, maxTime against two intervals ahead", () => {
    // TransactionQueue: lower offset 0; upper getUpperBoundCloseTimeOffset = 2 * expected close time + drift.
    const { network, attempt } = open()
    const now = () => BigInt(network.latest().closeTime)
    expect(attempt({ conditions: conditions({ timeBounds: timeBounds(now() + 1n, 0n) }) })).toBe("txTooEarly")
    expect(attempt({ conditions: conditions({ timeBounds: timeBounds(now(), 0n) }) })).toBe("txSuccess")
    expect(attempt({ conditions: conditions({ timeBounds: timeBounds(0n, now() + 9n) }) })).toBe("txTooLate")
    expect(attempt({ conditions: conditions({ timeBounds: timeBounds(0n, now() + 10n) }) })).toBe("txSuccess")
  })

  test("ledger bounds are those of the ledger to come: min inclusive, max exclusive, 0 is none", () => {
    const { network, attempt } = open()
    const next = () => network.latest().sequence + 1
    expect(attempt({ conditions: conditions({ ledgerBounds: ledgerBounds(next() + 1, 0) }) })).toBe(
      "txTooEarly",
    )
    expect(attempt({ conditions: conditions({ ledgerBounds: ledgerBounds(next(), 0) }) })).toBe("txSuccess")
    expect(attempt({ conditions: conditions({ ledgerBounds: ledgerBounds(0, next()) }) })).toBe("txTooLate")
    expect(attempt({ conditions: conditions({ ledgerBounds: ledgerBounds(0, next() + 1) }) })).toBe(
      "txSuccess",
    )
  })

  test("what expires while it waits is left out, and never applies", () => {
    // Herder::triggerNextLedger drops and bans what is invalid at the close time.
    const { network, submit, build, close, keys, nothing } = open()
    const until = BigInt(network.latest().closeTime) + 12n
    const built = build(keys, [nothing], { conditions: conditions({ timeBounds: timeBounds(0n, until) }) })
    expect(submit(built).status).toBe("PENDING")
    expect(close(20).transactions).toHaveLength(0)
    expect(network.pendingCount()).toBe(0)
    expect(submit(built).status).toBe("TRY_AGAIN_LATER")
  })
})

describe("the other preconditions (CAP-21)", () => {
  test("minSeqNum lets the sequence leap", () => {
    const { account, keys, attempt } = open()
    const { seqNum } = account(keys)
    const from = conditions({ minSeqNum: seqNum })
    expect(attempt({ sequence: seqNum + 10n, conditions: conditions({ minSeqNum: seqNum + 1n }) })).toBe(
      "txBadSeq",
    )
    expect(attempt({ sequence: seqNum, conditions: from })).toBe("txBadSeq")
    expect(attempt({ sequence: seqNum + 10n, conditions: from })).toBe("txSuccess")
    expect(account(keys).seqNum).toBe(seqNum + 10n)
  })

  test("minSeqAge and minSeqLedgerGap: txBAD_MIN_SEQ_AGE_OR_GAP", () => {
    const { keys, attempt, run, nothing, close } = open()
    run(keys, [nothing])
    // Validated against the last close, which is when the sequence changed: age 0, and the next ledger: gap 1.
    expect(attempt({ conditions: conditions({ minSeqAge: 1n }) })).toBe("txBadMinSeqAgeOrGap")
    expect(attempt({ conditions: conditions({ minSeqLedgerGap: 2 }) })).toBe("txBadMinSeqAgeOrGap")
    close()
    expect(attempt({ conditions: conditions({ minSeqAge: 5n, minSeqLedgerGap: 2 }) })).toBe("txSuccess")
  })

  test("extraSigners have to sign too; the same twice, or an empty payload, is txMALFORMED", () => {
    const { keys, attempt } = open()
    const extra = newKeys()
    const key = xdr.SignerKey.signerKeyTypeEd25519(extra.rawPublicKey())
    const asked = conditions({ extraSigners: [key] })
    expect(attempt({ conditions: asked })).toBe("txBadAuth")
    expect(attempt({ conditions: conditions({ extraSigners: [key, key] }) })).toBe("txMalformed")
    const empty = new xdr.SignerKeyEd25519SignedPayload({
      ed25519: extra.rawPublicKey(),
      payload: new Uint8Array(0),
    })
    const payload = xdr.SignerKey.signerKeyTypeEd25519SignedPayload(empty)
    expect(attempt({ conditions: conditions({ extraSigners: [payload] }) })).toBe("txMalformed")
    expect(attempt({ conditions: asked, signers: [keys, extra] })).toBe("txSuccess")
  })
})

describe("the first error stops validation", () => {
  test("operations behind the first invalid one show as not yet looked at", () => {
    const { run, keys, nothing } = open()
    const malformed = (to: Keypair) =>
      new xdr.Operation({
        sourceAccount: null,
        body: xdr.OperationBody.createAccount(
          new xdr.CreateAccountOp({ destination: to.xdrPublicKey(), startingBalance: -1n }),
        ),
      })
    const codes = run(keys, [nothing, malformed(newKeys()), malformed(newKeys())])
    expect(codes.operations).toEqual(["paymentSuccess", "createAccountMalformed", "createAccountSuccess"])
  })
})
