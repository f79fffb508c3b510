/** CAP-33; stellar-core Begin- and EndSponsoringFutureReservesOpFrame.cpp, SponsorshipUtils.cpp. */
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

const begin = (sponsored: Keypair, sponsor?: Keypair): xdr.Operation =>
  Operation.beginSponsoringFutureReserves({
    sponsoredId: sponsored.publicKey(),
    ...(sponsor === undefined ? {} : { source: sponsor.publicKey() }),
  })

const end = (sponsored: Keypair): xdr.Operation =>
  Operation.endSponsoringFutureReserves({ source: sponsored.publicKey() })

/** numSponsored, numSponsoring, who sponsors each signer: AccountEntryExtensionV2. */
const sponsorship = (tools: TestNetwork, keys: Keypair) => {
  const { ext } = tools.account(keys)
  const v2 = ext.type === "v1" && ext.v1.ext.type === "v2" ? ext.v1.ext.v2 : undefined
  return v2 === undefined
    ? undefined
    : { sponsored: v2.numSponsored, sponsoring: v2.numSponsoring, ids: v2.signerSponsoringIDs }
}

const sponsorOf = (tools: TestNetwork, key: xdr.LedgerKey): xdr.AccountId | null | undefined => {
  const ext = tools.network.entry(key)?.entry.ext
  return ext?.type === "v1" ? ext.v1.sponsoringId : undefined
}

describe("a sponsored account", () => {
  test("may be created with nothing; the sponsor carries two reserves", () => {
    const tools = openTestNetwork()
    const sponsor = tools.fundOne(10n * XLM)
    const keys = newKeys()
    const codes = tools.run(sponsor, [begin(keys), createAccountOperation(keys, 0n), end(keys)], {
      signers: [sponsor, keys],
    })
    expect(codes.operations).toEqual([
      "beginSponsoringFutureReservesSuccess",
      "createAccountSuccess",
      "endSponsoringFutureReservesSuccess",
    ])
    expect(tools.balance(keys)).toBe(0n)
    expect(sponsorship(tools, keys)).toEqual({ sponsored: 2, sponsoring: 0, ids: [] })
    expect(sponsorship(tools, sponsor)).toMatchObject({ sponsored: 0, sponsoring: 2 })
    expect(sponsorOf(tools, accountKeyOf(keys))?.equals(sponsor.xdrPublicKey())).toBe(true)
  })

  test("the sponsor's reserve grows: its last lumens can no longer be paid away", () => {
    const tools = openTestNetwork()
    const sponsor = tools.fundOne(10n * XLM)
    const keys = newKeys()
    tools.run(sponsor, [begin(keys), createAccountOperation(keys, 0n), end(keys)], {
      signers: [sponsor, keys],
    })
    // 10 XLM - 300 stroops for three operations - 2 XLM reserve (2 + 2 sponsored halves).
    const spendable = 8n * XLM - 300n - 100n
    const pay = (stroops: bigint) =>
      new xdr.Operation({
        sourceAccount: null,
        body: xdr.OperationBody.payment(
          new xdr.PaymentOp({
            destination: xdr.MuxedAccount.keyTypeEd25519(keys.rawPublicKey()),
            asset: xdr.Asset.assetTypeNative(),
            amount: stroops,
          }),
        ),
      })
    expect(tools.run(sponsor, [pay(spendable + 1n)]).operations).toEqual(["paymentUnderfunded"])
    expect(tools.run(sponsor, [pay(spendable - 100n)]).transaction).toBe("txSuccess")
  })

  test("LOW_RESERVE where the sponsor lacks the two reserves", () => {
    const tools = openTestNetwork()
    const sponsor = tools.fundOne(2n * XLM + 299n)
    const keys = newKeys()
    const codes = tools.run(sponsor, [begin(keys), createAccountOperation(keys, 0n), end(keys)], {
      signers: [sponsor, keys],
    })
    // The end fails too: its source, the new account, does not exist.
    expect(codes.operations).toEqual([
      "beginSponsoringFutureReservesSuccess",
      "createAccountLowReserve",
      "opNoAccount",
    ])
  })
})

describe("sponsored subentries", () => {
  test("a trustline: no reserve of its holder, given back on removal", () => {
    const tools = openTestNetwork()
    const [issuer, sponsor] = tools.fund(2) as [Keypair, Keypair]
    // Just its reserve, and not a stroop for a trustline; the sponsor pays the fee.
    const holder = tools.fundOne(XLM)
    const asset = new Asset("NOVA", issuer.publicKey())
    const trust = Operation.changeTrust({ asset, source: holder.publicKey() })
    const signers = [sponsor, holder]
    expect(tools.run(sponsor, [begin(holder), trust, end(holder)], { signers }).transaction).toBe("txSuccess")
    expect(tools.account(holder).numSubEntries).toBe(1)
    expect(sponsorship(tools, holder)).toMatchObject({ sponsored: 1, sponsoring: 0 })
    expect(sponsorship(tools, sponsor)).toMatchObject({ sponsored: 0, sponsoring: 1 })
    expect(sponsorOf(tools, lineKeyOf(holder, asset))?.equals(sponsor.xdrPublicKey())).toBe(true)
    const remove = Operation.changeTrust({ asset, limit: "0", source: holder.publicKey() })
    expect(tools.run(sponsor, [remove], { signers }).transaction).toBe("txSuccess")
    expect(tools.account(holder).numSubEntries).toBe(0)
    expect(sponsorship(tools, holder)).toMatchObject({ sponsored: 0, sponsoring: 0 })
    expect(sponsorship(tools, sponsor)).toMatchObject({ sponsored: 0, sponsoring: 0 })
  })

  test("a signer: its sponsor stands beside it, in the signers' order", () => {
    const tools = openTestNetwork()
    const [sponsor, keys] = tools.fund(2) as [Keypair, Keypair]
    const [own, paid] = [newKeys(), newKeys()]
    const add = (signer: Keypair) =>
      Operation.setOptions({
        signer: { ed25519PublicKey: signer.publicKey(), weight: 1 },
        source: keys.publicKey(),
      })
    tools.run(keys, [add(own)])
    const signers = [sponsor, keys]
    expect(tools.run(sponsor, [begin(keys), add(paid), end(keys)], { signers }).transaction).toBe("txSuccess")
    const { signers: inLedger, numSubEntries } = tools.account(keys)
    expect(numSubEntries).toBe(2)
    const at = inLedger.findIndex(({ key }) =>
      key.equals(xdr.SignerKey.signerKeyTypeEd25519(paid.rawPublicKey())),
    )
    const ids = sponsorship(tools, keys)?.ids ?? []
    expect(ids).toHaveLength(2)
    expect(ids[at]?.equals(sponsor.xdrPublicKey())).toBe(true)
    expect(ids[1 - at]).toBeNull()
    expect(sponsorship(tools, keys)).toMatchObject({ sponsored: 1 })
    const remove = Operation.setOptions({
      signer: { ed25519PublicKey: paid.publicKey(), weight: 0 },
      source: keys.publicKey(),
    })
    tools.run(sponsor, [remove], { signers })
    expect(sponsorship(tools, keys)).toEqual({ sponsored: 0, sponsoring: 0, ids: [null] })
    expect(sponsorship(tools, sponsor)).toMatchObject({ sponsoring: 0 })
  })
})

test("opTOO_MANY_SUBENTRIES holds for sponsored subentries as well", () => {
  // ACCOUNT_SUBENTRY_LIMIT, checked in canCreateEntryWithSponsorship.
  const tools = openTestNetwork()
  const [issuer, sponsor, holder] = tools.fund(3) as [Keypair, Keypair, Keypair]
  const line = (at: number) =>
    Operation.changeTrust({ asset: new Asset(`N${at}`, issuer.publicKey()), source: holder.publicKey() })
  for (let from = 0; from < 1000; from += 100) {
    tools.run(
      holder,
      Array.from({ length: 100 }, (_, index) => line(from + index)),
    )
  }
  const codes = tools.run(sponsor, [begin(holder), line(1000), end(holder)], { signers: [sponsor, holder] })
  expect(codes.operations[1]).toBe("opTooManySubentries")
})

describe("result codes", () => {
  test("Begin: MALFORMED for oneself, ALREADY_SPONSORED, RECURSIVE both ways", () => {
    const tools = openTestNetwork()
    const [one, other, third] = tools.fund(3) as [Keypair, Keypair, Keypair]
    const all = { signers: [one, other, third] }
    expect(tools.run(one, [begin(one)]).operations).toEqual(["beginSponsoringFutureReservesMalformed"])
    const twice = tools.run(one, [begin(third), begin(third, other)], { signers: [one, other] })
    expect(twice.operations[1]).toBe("beginSponsoringFutureReservesAlreadySponsored")
    // Who is sponsored cannot sponsor, and who sponsors cannot be sponsored.
    const bySponsored = tools.run(one, [begin(other), begin(third, other)], { signers: [one, other] })
    expect(bySponsored.operations[1]).toBe("beginSponsoringFutureReservesRecursive")
    const ofSponsor = tools.run(one, [begin(other), begin(one, third), end(other)], all)
    expect(ofSponsor.operations[1]).toBe("beginSponsoringFutureReservesRecursive")
  })

  test("End: NOT_SPONSORED", () => {
    const tools = openTestNetwork()
    const keys = tools.fundOne()
    expect(tools.run(keys, [end(keys)]).operations).toEqual(["endSponsoringFutureReservesNotSponsored"])
  })

  test("txBAD_SPONSORSHIP for a Begin without its End: fee and sequence are gone, nothing else", () => {
    const tools = openTestNetwork()
    const [sponsor, other] = tools.fund(2, 10n * XLM) as [Keypair, Keypair]
    const before = tools.account(sponsor)
    const codes = tools.run(sponsor, [begin(other)])
    expect(codes).toEqual({ transaction: "txBadSponsorship", operations: [], feeCharged: 100n })
    expect(tools.account(sponsor).seqNum).toBe(before.seqNum + 1n)
    expect(tools.balance(sponsor)).toBe(10n * XLM - 100n)
    expect(tools.balance(other)).toBe(10n * XLM)
  })
})
