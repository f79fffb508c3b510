/** Result codes of stellar-core src/transactions/PaymentOpFrame.cpp and PathPaymentOpFrameBase.cpp. */
import { describe, expect, test } from "bun:test"
import {
  Account,
  Asset,
  AuthClawbackEnabledFlag,
  AuthRequiredFlag,
  AuthRevocableFlag,
  type Keypair,
  MuxedAccount,
  Operation,
  xdr,
} from "@stellar/stellar-sdk"
import { amount, newKeys, openTestNetwork, type TestNetwork, XLM } from "./TestNetwork.ts"

const INT64_MAX = 9_223_372_036_854_775_807n

const pay = (to: Keypair, asset: Asset, stroops: bigint, source?: Keypair): xdr.Operation =>
  Operation.payment({
    destination: to.publicKey(),
    asset,
    amount: amount(stroops),
    ...(source === undefined ? {} : { source: source.publicKey() }),
  })

/** An issuer and two holders of its asset, the first with `held`. */
const issued = (tools: TestNetwork, held = 100n * XLM, limit?: bigint) => {
  const [issuer, one, other] = tools.fund(3)
  if (issuer === undefined || one === undefined || other === undefined) throw new Error("not funded")
  const asset = new Asset("NOVA", issuer.publicKey())
  for (const holder of [one, other]) {
    tools.run(holder, [
      Operation.changeTrust({ asset, ...(limit === undefined ? {} : { limit: amount(limit) }) }),
    ])
  }
  if (held > 0n) tools.run(issuer, [pay(one, asset, held)])
  return { issuer, one, other, asset }
}

describe("Payment of lumens", () => {
  test("moves the amount; the fee is the source's", () => {
    const { run, balance, fund } = openTestNetwork()
    const [from, to] = fund(2, 10n * XLM) as [Keypair, Keypair]
    expect(run(from, [pay(to, Asset.native(), 3n * XLM)])).toEqual({
      transaction: "txSuccess",
      operations: ["paymentSuccess"],
      feeCharged: 100n,
    })
    expect(balance(from)).toBe(7n * XLM - 100n)
    expect(balance(to)).toBe(13n * XLM)
  })

  test("MALFORMED: an amount that is not positive", () => {
    const { run, fund } = openTestNetwork()
    const [from, to] = fund(2) as [Keypair, Keypair]
    const zero = new xdr.Operation({
      sourceAccount: null,
      body: xdr.OperationBody.payment(
        new xdr.PaymentOp({
          destination: xdr.MuxedAccount.keyTypeEd25519(to.rawPublicKey()),
          asset: xdr.Asset.assetTypeNative(),
          amount: 0n,
        }),
      ),
    })
    expect(run(from, [zero]).operations).toEqual(["paymentMalformed"])
  })

  test("UNDERFUNDED respects the reserve, to the stroop", () => {
    const { run, fund, balance } = openTestNetwork()
    const [from, to] = fund(2, 10n * XLM) as [Keypair, Keypair]
    expect(run(from, [pay(to, Asset.native(), 9n * XLM - 99n)]).operations).toEqual(["paymentUnderfunded"])
    // The failure took 100 stroops, this transaction takes another 100.
    expect(run(from, [pay(to, Asset.native(), 9n * XLM - 200n)]).transaction).toBe("txSuccess")
    expect(balance(from)).toBe(XLM)
  })

  test("NO_DESTINATION", () => {
    const { run, fundOne } = openTestNetwork()
    expect(run(fundOne(), [pay(newKeys(), Asset.native(), XLM)]).operations).toEqual(["paymentNoDestination"])
  })

  test("LINE_FULL where the destination would pass int64 (updateDestBalance since protocol 11)", () => {
    const { run, root, fundOne } = openTestNetwork()
    const from = fundOne()
    expect(run(from, [pay(root, Asset.native(), INT64_MAX)]).operations).toEqual(["paymentLineFull"])
  })

  test("to oneself succeeds whatever the amount (instantSuccess)", () => {
    const { run, fundOne, balance } = openTestNetwork()
    const keys = fundOne(10n * XLM)
    expect(run(keys, [pay(keys, Asset.native(), INT64_MAX)]).transaction).toBe("txSuccess")
    expect(balance(keys)).toBe(10n * XLM - 100n)
  })

  test("a muxed destination pays the account behind it", () => {
    const { run, fund, balance } = openTestNetwork()
    const [from, to] = fund(2, 10n * XLM) as [Keypair, Keypair]
    const muxed = new MuxedAccount(new Account(to.publicKey(), "0"), "42").accountId()
    const operation = Operation.payment({ destination: muxed, asset: Asset.native(), amount: "1" })
    expect(run(from, [operation]).transaction).toBe("txSuccess")
    expect(balance(to)).toBe(11n * XLM)
  })
})

describe("Payment of an issued asset", () => {
  test("the issuer mints without a line, a holder pays another, a payment to the issuer burns", () => {
    const tools = openTestNetwork()
    const { issuer, one, other, asset } = issued(tools)
    expect(tools.line(issuer, asset)).toBeUndefined()
    expect(tools.line(one, asset)?.balance).toBe(100n * XLM)
    expect(tools.run(one, [pay(other, asset, 30n * XLM)]).transaction).toBe("txSuccess")
    expect(tools.run(one, [pay(issuer, asset, 20n * XLM)]).transaction).toBe("txSuccess")
    expect(tools.line(one, asset)?.balance).toBe(50n * XLM)
    expect(tools.line(other, asset)?.balance).toBe(30n * XLM)
  })

  test("MALFORMED: a code that is not letters and digits (isAssetValid)", () => {
    const { run, fund } = openTestNetwork()
    const [from, to] = fund(2) as [Keypair, Keypair]
    const assetCode = Buffer.from("A\0B\0", "latin1")
    const asset = xdr.Asset.assetTypeCreditAlphanum4(
      new xdr.AlphaNum4({ assetCode, issuer: from.xdrPublicKey() }),
    )
    const destination = xdr.MuxedAccount.keyTypeEd25519(to.rawPublicKey())
    const operation = new xdr.Operation({
      sourceAccount: null,
      body: xdr.OperationBody.payment(new xdr.PaymentOp({ destination, asset, amount: 1n })),
    })
    expect(run(from, [operation]).operations).toEqual(["paymentMalformed"])
  })

  test("NO_TRUST and LINE_FULL of the destination come before anything of the source", () => {
    // PathPaymentStrictReceiveOpFrame::doApply credits the destination first.
    const tools = openTestNetwork()
    const { issuer, one, other, asset } = issued(tools, 10n * XLM, 50n * XLM)
    const stranger = tools.fundOne()
    expect(tools.run(one, [pay(stranger, asset, 1000n * XLM)]).operations).toEqual(["paymentNoTrust"])
    expect(tools.run(stranger, [pay(other, asset, 51n * XLM)]).operations).toEqual(["paymentLineFull"])
    expect(tools.run(issuer, [pay(other, asset, 50n * XLM)]).transaction).toBe("txSuccess")
    expect(tools.run(issuer, [pay(other, asset, 1n)]).operations).toEqual(["paymentLineFull"])
  })

  test("SRC_NO_TRUST, UNDERFUNDED", () => {
    const tools = openTestNetwork()
    const { one, other, asset } = issued(tools, 10n * XLM)
    const stranger = tools.fundOne()
    expect(tools.run(stranger, [pay(other, asset, 1n)]).operations).toEqual(["paymentSrcNoTrust"])
    expect(tools.run(one, [pay(other, asset, 10n * XLM + 1n)]).operations).toEqual(["paymentUnderfunded"])
    expect(tools.run(one, [pay(other, asset, 10n * XLM)]).transaction).toBe("txSuccess")
  })

  test("NO_DESTINATION, except to an issuer whose account never was (shouldBypassIssuerCheck)", () => {
    const tools = openTestNetwork()
    const { one, asset } = issued(tools)
    expect(tools.run(one, [pay(newKeys(), asset, 1n)]).operations).toEqual(["paymentNoDestination"])
    const ghost = newKeys()
    const ghosts = new Asset("GHOST", ghost.publicKey())
    // The bypass goes as far as the source's line, which does not exist.
    expect(tools.run(one, [pay(ghost, ghosts, 1n)]).operations).toEqual(["paymentSrcNoTrust"])
  })

  test("NOT_AUTHORIZED and SRC_NOT_AUTHORIZED under AUTH_REQUIRED", () => {
    const tools = openTestNetwork()
    const [issuer, holder] = tools.fund(2) as [Keypair, Keypair]
    const asset = new Asset("NOVA", issuer.publicKey())
    tools.run(issuer, [Operation.setOptions({ setFlags: AuthRequiredFlag })])
    tools.run(holder, [Operation.changeTrust({ asset })])
    expect(tools.line(holder, asset)?.flags).toBe(0)
    expect(tools.run(issuer, [pay(holder, asset, 1n)]).operations).toEqual(["paymentNotAuthorized"])
    expect(tools.run(holder, [pay(issuer, asset, 1n)]).operations).toEqual(["paymentSrcNotAuthorized"])
  })

  test("a line of an issuer with clawback is marked for it", () => {
    const tools = openTestNetwork()
    const [issuer, holder] = tools.fund(2) as [Keypair, Keypair]
    const asset = new Asset("NOVA", issuer.publicKey())
    const flags = (AuthRevocableFlag | AuthClawbackEnabledFlag) as typeof AuthRevocableFlag
    tools.run(issuer, [Operation.setOptions({ setFlags: flags })])
    tools.run(holder, [Operation.changeTrust({ asset })])
    // AUTHORIZED_FLAG (1) and TRUSTLINE_CLAWBACK_ENABLED_FLAG (4).
    expect(tools.line(holder, asset)?.flags).toBe(5)
  })
})

describe("A batch of payments", () => {
  test("with 3 bad ones of 100 names all 3, changes nothing, and costs its fee and sequence", () => {
    // applyOperations goes on after a failure and records every result; doc: one failed operation fails all.
    const tools = openTestNetwork()
    const { issuer, one, asset } = issued(tools, 0n)
    const [stranger] = tools.fund(1) as [Keypair]
    const bad = new Set([7, 42, 99])
    const operations = Array.from({ length: 100 }, (_, index) =>
      pay(bad.has(index) ? stranger : one, asset, XLM),
    )
    const before = tools.account(issuer)
    const codes = tools.run(issuer, operations)
    expect(codes.transaction).toBe("txFailed")
    expect(codes.feeCharged).toBe(10_000n)
    expect(codes.operations).toEqual(
      operations.map((_, index) => (bad.has(index) ? "paymentNoTrust" : "paymentSuccess")),
    )
    expect(tools.line(one, asset)?.balance).toBe(0n)
    expect(tools.account(issuer).balance).toBe(before.balance - 10_000n)
    expect(tools.account(issuer).seqNum).toBe(before.seqNum + 1n)
  })

  test("later results see what earlier operations of the same transaction did", () => {
    const tools = openTestNetwork()
    const { one, other, asset } = issued(tools, 10n * XLM)
    const codes = tools.run(one, [
      pay(other, asset, 6n * XLM),
      pay(other, asset, 6n * XLM),
      pay(other, asset, 4n * XLM),
    ])
    // The failed one took nothing, so the third finds 4 left.
    expect(codes.operations).toEqual(["paymentSuccess", "paymentUnderfunded", "paymentSuccess"])
    expect(tools.line(one, asset)?.balance).toBe(10n * XLM)
  })

  test("a failed operation leaves nothing for later ones, though the destination is credited first", () => {
    const tools = openTestNetwork()
    const { one, other, asset } = issued(tools, 3n * XLM)
    const codes = tools.run(
      one,
      [pay(other, asset, 5n * XLM), pay(one, asset, 1n, other), pay(other, asset, 3n * XLM)],
      { signers: [one, other] },
    )
    expect(codes.operations).toEqual(["paymentUnderfunded", "paymentUnderfunded", "paymentSuccess"])
  })
})
