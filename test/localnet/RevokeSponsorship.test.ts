/** Result codes of stellar-core src/transactions/RevokeSponsorshipOpFrame.cpp (CAP-33). */
import { describe, expect, test } from "bun:test"
import { Asset, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import {
  accountKeyOf,
  createAccountOperation,
  lineKeyOf,
  newKeys,
  openTestNetwork,
  type TestNetwork,
  XLM,
} from "./TestNetwork.ts"

const begin = (sponsored: Keypair, sponsor: Keypair) =>
  Operation.beginSponsoringFutureReserves({ sponsoredId: sponsored.publicKey(), source: sponsor.publicKey() })
const end = (sponsored: Keypair) => Operation.endSponsoringFutureReserves({ source: sponsored.publicKey() })

const revoke = (key: xdr.LedgerKey, source: Keypair): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: xdr.MuxedAccount.keyTypeEd25519(source.rawPublicKey()),
    body: xdr.OperationBody.revokeSponsorship(xdr.RevokeSponsorshipOp.revokeSponsorshipLedgerEntry(key)),
  })

const revokeSigner = (account: Keypair, signer: Keypair, source: Keypair): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: xdr.MuxedAccount.keyTypeEd25519(source.rawPublicKey()),
    body: xdr.OperationBody.revokeSponsorship(
      xdr.RevokeSponsorshipOp.revokeSponsorshipSigner(
        new xdr.RevokeSponsorshipOpSigner({
          accountId: account.xdrPublicKey(),
          signerKey: xdr.SignerKey.signerKeyTypeEd25519(signer.rawPublicKey()),
        }),
      ),
    ),
  })

const counts = (tools: TestNetwork, keys: Keypair) => {
  const { ext } = tools.account(keys)
  const v2 = ext.type === "v1" && ext.v1.ext.type === "v2" ? ext.v1.ext.v2 : undefined
  return [v2?.numSponsored ?? 0, v2?.numSponsoring ?? 0]
}

const sponsorOf = (tools: TestNetwork, key: xdr.LedgerKey): string | null | undefined => {
  const ext = tools.network.entry(key)?.entry.ext
  if (ext?.type !== "v1") return undefined
  return ext.v1.sponsoringId === null ? null : Buffer.from(ext.v1.sponsoringId.ed25519.value).toString("hex")
}

const hex = (keys: Keypair) => Buffer.from(keys.rawPublicKey()).toString("hex")

/** A holder whose trustline `sponsor` pays for. */
const open = () => {
  const tools = openTestNetwork()
  const [sponsor, holder, other] = tools.fund(3, 100n * XLM) as [Keypair, Keypair, Keypair]
  const asset = new Asset("NOVA", other.publicKey())
  const trust = Operation.changeTrust({ asset, source: holder.publicKey() })
  tools.run(sponsor, [begin(holder, sponsor), trust, end(holder)], { signers: [sponsor, holder] })
  return { tools, sponsor, holder, other, key: lineKeyOf(holder, asset) }
}

describe("an entry", () => {
  test("goes back to its owner", () => {
    const { tools, sponsor, holder, key } = open()
    expect(tools.run(sponsor, [revoke(key, sponsor)]).operations).toEqual(["revokeSponsorshipSuccess"])
    expect(sponsorOf(tools, key)).toBeNull()
    expect(counts(tools, holder)).toEqual([0, 0])
    expect(counts(tools, sponsor)).toEqual([0, 0])
  })

  test("goes on to the sponsor of its sponsor", () => {
    const { tools, sponsor, holder, other, key } = open()
    const operations = [begin(sponsor, other), revoke(key, sponsor), end(sponsor)]
    expect(tools.run(other, operations, { signers: [other, sponsor] }).transaction).toBe("txSuccess")
    expect(sponsorOf(tools, key)).toBe(hex(other))
    expect(counts(tools, holder)).toEqual([1, 0])
    expect(counts(tools, sponsor)).toEqual([0, 0])
    expect(counts(tools, other)).toEqual([0, 1])
  })

  test("an owner may put its own entry under a sponsorship", () => {
    const { tools, sponsor, holder, key } = open()
    tools.run(sponsor, [revoke(key, sponsor)])
    const operations = [begin(holder, sponsor), revoke(key, holder), end(holder)]
    expect(tools.run(sponsor, operations, { signers: [sponsor, holder] }).transaction).toBe("txSuccess")
    expect(sponsorOf(tools, key)).toBe(hex(sponsor))
    expect(counts(tools, holder)).toEqual([1, 0])
    expect(counts(tools, sponsor)).toEqual([0, 1])
  })

  test("an account: two reserves, which it then has to have", () => {
    const tools = openTestNetwork()
    const sponsor = tools.fundOne()
    const made = newKeys()
    const operations = [begin(made, sponsor), createAccountOperation(made, XLM - 1n), end(made)]
    tools.run(sponsor, operations, { signers: [sponsor, made] })
    const key = accountKeyOf(made)
    expect(tools.run(sponsor, [revoke(key, sponsor)]).operations).toEqual(["revokeSponsorshipLowReserve"])
    const one = Operation.payment({
      destination: made.publicKey(),
      asset: Asset.native(),
      amount: "0.0000001",
    })
    tools.run(sponsor, [one])
    expect(tools.run(sponsor, [revoke(key, sponsor)]).transaction).toBe("txSuccess")
    expect(counts(tools, made)).toEqual([0, 0])
    expect(counts(tools, sponsor)).toEqual([0, 0])
    expect(sponsorOf(tools, key)).toBeNull()
  })

  test("NOT_SPONSOR, DOES_NOT_EXIST, MALFORMED", () => {
    const { tools, holder, other, key } = open()
    expect(tools.run(holder, [revoke(key, holder)]).operations).toEqual(["revokeSponsorshipNotSponsor"])
    expect(tools.run(other, [revoke(key, other)]).operations).toEqual(["revokeSponsorshipNotSponsor"])
    const gone = accountKeyOf(newKeys())
    expect(tools.run(other, [revoke(gone, other)]).operations).toEqual(["revokeSponsorshipDoesNotExist"])
    const own = lineKeyOf(other, new Asset("NOVA", other.publicKey()))
    expect(tools.run(other, [revoke(own, other)]).operations).toEqual(["revokeSponsorshipMalformed"])
    const pool = xdr.LedgerKey.liquidityPool(
      new xdr.LedgerKeyLiquidityPool({ liquidityPoolId: new xdr.PoolId(new Uint8Array(32)) }),
    )
    expect(tools.run(other, [revoke(pool, other)]).operations).toEqual(["revokeSponsorshipMalformed"])
  })

  test("ONLY_TRANSFERABLE: a claimable balance always has a sponsor", () => {
    const { tools, sponsor, other } = open()
    const claimant = xdr.Claimant.claimantTypeV0(
      new xdr.ClaimantV0({
        destination: other.xdrPublicKey(),
        predicate: xdr.ClaimPredicate.claimPredicateUnconditional(),
      }),
    )
    const body = xdr.OperationBody.createClaimableBalance(
      new xdr.CreateClaimableBalanceOp({
        asset: xdr.Asset.assetTypeNative(),
        amount: 1n,
        claimants: [claimant],
      }),
    )
    const built = tools.build(sponsor, [new xdr.Operation({ sourceAccount: null, body })])
    tools.apply(built)
    const result = tools.network.transaction(built.hash)?.result.result
    const [first] = result?.type === "txSuccess" ? result.results : []
    const made = first?.type === "opInner" ? first.tr.value : undefined
    if (made?.type !== "createClaimableBalanceSuccess") throw new Error("not created")
    const key = xdr.LedgerKey.claimableBalance(
      new xdr.LedgerKeyClaimableBalance({ balanceId: made.balanceId }),
    )
    expect(tools.run(sponsor, [revoke(key, sponsor)]).operations).toEqual([
      "revokeSponsorshipOnlyTransferable",
    ])
    const operations = [begin(sponsor, other), revoke(key, sponsor), end(sponsor)]
    expect(tools.run(other, operations, { signers: [other, sponsor] }).transaction).toBe("txSuccess")
    expect(sponsorOf(tools, key)).toBe(hex(other))
  })
})

describe("a signer", () => {
  test("back to its account, on to another sponsor; NOT_SPONSOR, DOES_NOT_EXIST", () => {
    const tools = openTestNetwork()
    const [sponsor, keys, other] = tools.fund(3) as [Keypair, Keypair, Keypair]
    const signer = newKeys()
    const add = Operation.setOptions({
      signer: { ed25519PublicKey: signer.publicKey(), weight: 1 },
      source: keys.publicKey(),
    })
    tools.run(sponsor, [begin(keys, sponsor), add, end(keys)], { signers: [sponsor, keys] })
    expect(tools.run(keys, [revokeSigner(keys, signer, keys)]).operations).toEqual([
      "revokeSponsorshipNotSponsor",
    ])
    expect(tools.run(sponsor, [revokeSigner(keys, newKeys(), sponsor)]).operations).toEqual([
      "revokeSponsorshipDoesNotExist",
    ])
    const on = [begin(sponsor, other), revokeSigner(keys, signer, sponsor), end(sponsor)]
    expect(tools.run(other, on, { signers: [other, sponsor] }).transaction).toBe("txSuccess")
    expect([counts(tools, keys), counts(tools, sponsor), counts(tools, other)]).toEqual([
      [1, 0],
      [0, 0],
      [0, 1],
    ])
    expect(tools.run(other, [revokeSigner(keys, signer, other)]).transaction).toBe("txSuccess")
    expect([counts(tools, keys), counts(tools, other)]).toEqual([
      [0, 0],
      [0, 0],
    ])
  })
})
