/** Result codes of stellar-core SetTrustLineFlagsOpFrame.cpp, AllowTrustOpFrame.cpp and ClawbackOpFrame.cpp. */
import { describe, expect, test } from "bun:test"
import {
  Asset,
  AuthClawbackEnabledFlag,
  type AuthFlag,
  AuthRequiredFlag,
  AuthRevocableFlag,
  type Keypair,
  Operation,
  xdr,
} from "@stellar/stellar-sdk"
import { newKeys, openTestNetwork, XLM } from "./TestNetwork.ts"

const open = (...flags: ReadonlyArray<number>) => {
  const tools = openTestNetwork()
  const [issuer, holder, stranger] = tools.fund(3) as [Keypair, Keypair, Keypair]
  const asset = new Asset("NOVA", issuer.publicKey())
  const all = flags.reduce((sum, flag) => sum | flag, 0) as AuthFlag
  tools.run(issuer, [Operation.setOptions({ setFlags: all })])
  tools.run(holder, [Operation.changeTrust({ asset })])
  const flagsOf = () => tools.line(holder, asset)?.flags
  return { ...tools, issuer, holder, stranger, asset, flagsOf }
}

const setFlags = (trustor: Keypair, asset: Asset, set: number, clear: number): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: null,
    body: xdr.OperationBody.setTrustLineFlags(
      new xdr.SetTrustLineFlagsOp({
        trustor: trustor.xdrPublicKey(),
        asset: asset.toXdrObject(),
        clearFlags: clear,
        setFlags: set,
      }),
    ),
  })

const allow = (trustor: Keypair, code: string, authorize: number): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: null,
    body: xdr.OperationBody.allowTrust(
      new xdr.AllowTrustOp({
        trustor: trustor.xdrPublicKey(),
        asset: xdr.AssetCode.assetTypeCreditAlphanum4(new xdr.AssetCode4(code)),
        authorize,
      }),
    ),
  })

describe("SetTrustLineFlags", () => {
  test("authorises, and takes it back where the issuer may revoke", () => {
    const { run, issuer, holder, asset, flagsOf } = open(AuthRequiredFlag, AuthRevocableFlag)
    expect(flagsOf()).toBe(0)
    expect(run(issuer, [setFlags(holder, asset, 1, 0)]).operations).toEqual(["setTrustLineFlagsSuccess"])
    expect(flagsOf()).toBe(1)
    const pay = Operation.payment({ destination: holder.publicKey(), asset, amount: "5" })
    expect(run(issuer, [pay]).transaction).toBe("txSuccess")
    expect(run(issuer, [setFlags(holder, asset, 2, 1)]).transaction).toBe("txSuccess")
    expect(flagsOf()).toBe(2)
    expect(run(issuer, [pay]).operations).toEqual(["paymentNotAuthorized"])
    expect(run(issuer, [setFlags(holder, asset, 0, 2)]).transaction).toBe("txSuccess")
    expect(flagsOf()).toBe(0)
  })

  test("CANT_REVOKE without AUTH_REVOCABLE, for each way down", () => {
    const { run, issuer, holder, asset } = open(AuthRequiredFlag)
    const code = (set: number, clear: number) => run(issuer, [setFlags(holder, asset, set, clear)]).operations
    run(issuer, [setFlags(holder, asset, 1, 0)])
    expect(code(0, 1)).toEqual(["setTrustLineFlagsCantRevoke"])
    expect(code(2, 1)).toEqual(["setTrustLineFlagsCantRevoke"])
    expect(code(1, 2)).toEqual(["setTrustLineFlagsSuccess"])
  })

  test("INVALID_STATE: both kinds of authorisation at once; NO_TRUST_LINE", () => {
    const { run, issuer, holder, stranger, asset } = open(AuthRevocableFlag)
    expect(run(issuer, [setFlags(holder, asset, 2, 0)]).operations).toEqual(["setTrustLineFlagsInvalidState"])
    expect(run(issuer, [setFlags(stranger, asset, 1, 0)]).operations).toEqual([
      "setTrustLineFlagsNoTrustLine",
    ])
  })

  test("MALFORMED: not the issuer, oneself, overlapping flags, giving clawback, unknown flags, lumens", () => {
    const { run, issuer, holder, asset } = open(AuthRevocableFlag)
    const malformed = ["setTrustLineFlagsMalformed"]
    expect(run(holder, [setFlags(issuer, asset, 1, 0)]).operations).toEqual(malformed)
    const attempts = [
      setFlags(issuer, asset, 1, 0),
      setFlags(holder, asset, 1, 1),
      setFlags(holder, asset, 4, 0),
      setFlags(holder, asset, 3, 0),
      setFlags(holder, asset, 8, 0),
      setFlags(holder, asset, 0, 8),
      setFlags(holder, Asset.native(), 1, 0),
    ]
    for (const attempt of attempts) expect(run(issuer, [attempt]).operations).toEqual(malformed)
  })
})

describe("AllowTrust", () => {
  test("authorises by code; SUCCESS, NO_TRUST_LINE, CANT_REVOKE, MALFORMED", () => {
    const { run, issuer, holder, stranger, flagsOf } = open(AuthRequiredFlag)
    expect(run(issuer, [allow(holder, "NOVA", 1)]).operations).toEqual(["allowTrustSuccess"])
    expect(flagsOf()).toBe(1)
    expect(run(issuer, [allow(stranger, "NOVA", 1)]).operations).toEqual(["allowTrustNoTrustLine"])
    expect(run(issuer, [allow(holder, "NOVA", 0)]).operations).toEqual(["allowTrustCantRevoke"])
    expect(run(issuer, [allow(holder, "NOVA", 2)]).operations).toEqual(["allowTrustCantRevoke"])
    expect(run(issuer, [allow(holder, "NOVA", 3)]).operations).toEqual(["allowTrustMalformed"])
    expect(run(issuer, [allow(issuer, "NOVA", 1)]).operations).toEqual(["allowTrustMalformed"])
    expect(run(issuer, [allow(holder, "A!", 1)]).operations).toEqual(["allowTrustMalformed"])
  })

  test("revokes where the issuer may", () => {
    const { run, issuer, holder, flagsOf } = open(AuthRequiredFlag, AuthRevocableFlag)
    run(issuer, [allow(holder, "NOVA", 1)])
    expect(run(issuer, [allow(holder, "NOVA", 2)]).transaction).toBe("txSuccess")
    expect(flagsOf()).toBe(2)
    expect(run(issuer, [allow(holder, "NOVA", 0)]).transaction).toBe("txSuccess")
    expect(flagsOf()).toBe(0)
  })
})

describe("Clawback", () => {
  const clawback = (from: Keypair, asset: Asset, amount: bigint): xdr.Operation =>
    new xdr.Operation({
      sourceAccount: null,
      body: xdr.OperationBody.clawback(
        new xdr.ClawbackOp({
          asset: asset.toXdrObject(),
          from: xdr.MuxedAccount.keyTypeEd25519(from.rawPublicKey()),
          amount,
        }),
      ),
    })

  test("burns what a holder has; SUCCESS, UNDERFUNDED, NO_TRUST", () => {
    const { run, line, issuer, holder, stranger, asset } = open(AuthRevocableFlag, AuthClawbackEnabledFlag)
    run(issuer, [Operation.payment({ destination: holder.publicKey(), asset, amount: "5" })])
    expect(run(issuer, [clawback(holder, asset, 2n * XLM)]).operations).toEqual(["clawbackSuccess"])
    expect(line(holder, asset)?.balance).toBe(3n * XLM)
    expect(run(issuer, [clawback(holder, asset, 3n * XLM + 1n)]).operations).toEqual(["clawbackUnderfunded"])
    expect(run(issuer, [clawback(stranger, asset, 1n)]).operations).toEqual(["clawbackNoTrust"])
  })

  test("also from a line that is not authorised any more", () => {
    // addBalanceSkipAuthorization
    const { run, line, issuer, holder, asset } = open(AuthRevocableFlag, AuthClawbackEnabledFlag)
    run(issuer, [Operation.payment({ destination: holder.publicKey(), asset, amount: "5" })])
    run(issuer, [setFlags(holder, asset, 0, 1)])
    expect(run(issuer, [clawback(holder, asset, 5n * XLM)]).transaction).toBe("txSuccess")
    expect(line(holder, asset)?.balance).toBe(0n)
  })

  test("NOT_CLAWBACK_ENABLED for a line from before, or one that was let off", () => {
    const { run, issuer, holder, asset } = open(AuthRevocableFlag)
    expect(run(issuer, [clawback(holder, asset, 1n)]).operations).toEqual(["clawbackNotClawbackEnabled"])
    const later = open(AuthRevocableFlag, AuthClawbackEnabledFlag)
    later.run(later.issuer, [setFlags(later.holder, later.asset, 0, 4)])
    expect(later.run(later.issuer, [clawback(later.holder, later.asset, 1n)]).operations).toEqual([
      "clawbackNotClawbackEnabled",
    ])
  })

  test("MALFORMED: nothing, lumens, oneself, another's asset", () => {
    const { run, issuer, holder, asset } = open(AuthRevocableFlag, AuthClawbackEnabledFlag)
    const other = new Asset("NOVA", newKeys().publicKey())
    const attempts = [
      clawback(holder, asset, 0n),
      clawback(holder, Asset.native(), 1n),
      clawback(issuer, asset, 1n),
      clawback(holder, other, 1n),
    ]
    for (const attempt of attempts) expect(run(issuer, [attempt]).operations).toEqual(["clawbackMalformed"])
  })
})
