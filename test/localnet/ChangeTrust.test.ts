/** Result codes of stellar-core src/transactions/ChangeTrustOpFrame.cpp. */
import { describe, expect, test } from "bun:test"
import { Asset, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { amount, newKeys, openTestNetwork, XLM } from "./TestNetwork.ts"

const open = (balance?: bigint) => {
  const tools = openTestNetwork()
  const [issuer] = tools.fund(1) as [Keypair]
  const holder = tools.fundOne(balance)
  return { ...tools, issuer, holder, asset: new Asset("NOVA", issuer.publicKey()) }
}

const raw = (line: xdr.ChangeTrustAsset, limit: bigint): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: null,
    body: xdr.OperationBody.changeTrust(new xdr.ChangeTrustOp({ line, limit })),
  })

describe("ChangeTrust", () => {
  test("creates an authorised line that counts as a subentry, changes it, deletes it", () => {
    const { run, holder, asset, line, account } = open()
    expect(run(holder, [Operation.changeTrust({ asset, limit: "10" })]).transaction).toBe("txSuccess")
    expect(line(holder, asset)).toMatchObject({ balance: 0n, limit: 10n * XLM, flags: 1 })
    expect(account(holder).numSubEntries).toBe(1)
    expect(run(holder, [Operation.changeTrust({ asset, limit: "20" })]).transaction).toBe("txSuccess")
    expect(line(holder, asset)?.limit).toBe(20n * XLM)
    expect(account(holder).numSubEntries).toBe(1)
    expect(run(holder, [Operation.changeTrust({ asset, limit: "0" })]).transaction).toBe("txSuccess")
    expect(line(holder, asset)).toBeUndefined()
    expect(account(holder).numSubEntries).toBe(0)
  })

  test("MALFORMED: a negative limit, lumens, an invalid code, one's own asset", () => {
    const { run, holder, asset } = open()
    const malformed = ["changeTrustMalformed"]
    expect(run(holder, [raw(asset.toChangeTrustXdrObject(), -1n)]).operations).toEqual(malformed)
    expect(run(holder, [raw(xdr.ChangeTrustAsset.assetTypeNative(), 1n)]).operations).toEqual(malformed)
    // An alphanum12 code has at least five characters (isAssetValid, src/util/types.cpp).
    const short = new xdr.AlphaNum12({ assetCode: "NOVA", issuer: holder.xdrPublicKey() })
    const line = xdr.ChangeTrustAsset.assetTypeCreditAlphanum12(short)
    expect(run(holder, [raw(line, 1n)]).operations).toEqual(malformed)
    const own = new Asset("OWN", holder.publicKey())
    expect(run(holder, [Operation.changeTrust({ asset: own })]).operations).toEqual(malformed)
  })

  test("NO_ISSUER", () => {
    const { run, holder } = open()
    const asset = new Asset("NONE", newKeys().publicKey())
    expect(run(holder, [Operation.changeTrust({ asset })]).operations).toEqual(["changeTrustNoIssuer"])
  })

  test("INVALID_LIMIT: deleting what is not there, and a limit below the balance", () => {
    const { run, holder, issuer, asset } = open()
    const remove = Operation.changeTrust({ asset, limit: "0" })
    expect(run(holder, [remove]).operations).toEqual(["changeTrustInvalidLimit"])
    run(holder, [Operation.changeTrust({ asset })])
    run(issuer, [Operation.payment({ destination: holder.publicKey(), asset, amount: "5" })])
    expect(run(holder, [remove]).operations).toEqual(["changeTrustInvalidLimit"])
    const below = Operation.changeTrust({ asset, limit: amount(5n * XLM - 1n) })
    expect(run(holder, [below]).operations).toEqual(["changeTrustInvalidLimit"])
    expect(run(holder, [Operation.changeTrust({ asset, limit: "5" })]).transaction).toBe("txSuccess")
  })

  test("LOW_RESERVE: a line takes half a lumen of reserve, counted after the fee", () => {
    // 1 XLM for the account, 0.5 XLM for the line, 100 stroops for each of the two attempts.
    const poor = open(XLM + XLM / 2n + 99n)
    const operation = Operation.changeTrust({ asset: poor.asset })
    expect(poor.run(poor.holder, [operation]).operations).toEqual(["changeTrustLowReserve"])
    const rich = open(XLM + XLM / 2n + 100n)
    const same = Operation.changeTrust({ asset: rich.asset })
    expect(rich.run(rich.holder, [same]).transaction).toBe("txSuccess")
  })

  test("a pool share is refused as not supported: this network has no liquidity pools", () => {
    const { run, holder, asset } = open()
    const parameters = xdr.LiquidityPoolParameters.liquidityPoolConstantProduct(
      new xdr.LiquidityPoolConstantProductParameters({
        assetA: xdr.Asset.assetTypeNative(),
        assetB: asset.toXdrObject(),
        fee: 30,
      }),
    )
    const line = xdr.ChangeTrustAsset.assetTypePoolShare(parameters)
    expect(run(holder, [raw(line, 1n)]).operations).toEqual(["opNotSupported"])
  })

  test("opTOO_MANY_SUBENTRIES past 1,000", () => {
    // ACCOUNT_SUBENTRY_LIMIT: 1,000 (getAccountSubEntryLimit, src/transactions/TransactionUtils.cpp).
    const { run, holder, issuer } = open(1000n * XLM)
    const lines = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) =>
        Operation.changeTrust({ asset: new Asset(`N${from + index}`, issuer.publicKey()) }),
      )
    for (let from = 0; from < 1000; from += 100) {
      expect(run(holder, lines(from, 100)).transaction).toBe("txSuccess")
    }
    expect(run(holder, lines(1000, 1)).operations).toEqual(["opTooManySubentries"])
  })
})
