/** CAP-23; result codes of stellar-core Create-, Claim- and ClawbackClaimableBalanceOpFrame.cpp. */
import { describe, expect, test } from "bun:test"
import {
  Asset,
  AuthClawbackEnabledFlag,
  type AuthFlag,
  AuthRequiredFlag,
  AuthRevocableFlag,
  Claimant,
  hash,
  type Keypair,
  Operation,
  xdr,
} from "@stellar/stellar-sdk"
import { newKeys, openTestNetwork, type TestNetwork, XLM } from "./TestNetwork.ts"

type Claim = { readonly to: Keypair; readonly predicate?: xdr.ClaimPredicate }

const create = (asset: Asset, amount: string, claims: ReadonlyArray<Claim>): xdr.Operation =>
  Operation.createClaimableBalance({
    asset,
    amount,
    claimants: claims.map(({ to, predicate }) => new Claimant(to.publicKey(), predicate)),
  })

const raw = (asset: xdr.Asset, amount: bigint, claims: ReadonlyArray<Claim>): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: null,
    body: xdr.OperationBody.createClaimableBalance(
      new xdr.CreateClaimableBalanceOp({
        asset,
        amount,
        claimants: claims.map(({ to, predicate }) =>
          xdr.Claimant.claimantTypeV0(
            new xdr.ClaimantV0({
              destination: to.xdrPublicKey(),
              predicate: predicate ?? xdr.ClaimPredicate.claimPredicateUnconditional(),
            }),
          ),
        ),
      }),
    ),
  })

/** The id by its definition: SHA-256 of HashIDPreimage's operation id. */
const idOf = (source: Keypair, sequence: bigint, index = 0): xdr.ClaimableBalanceId =>
  xdr.ClaimableBalanceId.claimableBalanceIdTypeV0(
    hash(
      xdr.HashIdPreimage.envelopeTypeOpId(
        new xdr.HashIdPreimageOperationId({
          sourceAccount: source.xdrPublicKey(),
          seqNum: sequence,
          opNum: index,
        }),
      ).toXdr(),
    ),
  )

const claim = (id: xdr.ClaimableBalanceId): xdr.Operation =>
  Operation.claimClaimableBalance({ balanceId: id.toXdr("hex") })

const balanceOf = (tools: TestNetwork, id: xdr.ClaimableBalanceId) => {
  const key = xdr.LedgerKey.claimableBalance(new xdr.LedgerKeyClaimableBalance({ balanceId: id }))
  const stored = tools.network.entry(key)
  const data = stored?.entry.data
  return data?.type === "claimableBalance" ? { ...stored, balance: data.claimableBalance } : undefined
}

const open = () => {
  const tools = openTestNetwork()
  const [creator, claimant, other] = tools.fund(3, 100n * XLM) as [Keypair, Keypair, Keypair]
  return { tools, creator, claimant, other }
}

const sponsoring = (tools: TestNetwork, keys: Keypair): number => {
  const { ext } = tools.account(keys)
  return ext.type === "v1" && ext.v1.ext.type === "v2" ? ext.v1.ext.v2.numSponsoring : 0
}

describe("creating and claiming", () => {
  test("lumens: the creator carries a reserve for each claimant until somebody claims", () => {
    const { tools, creator, claimant, other } = open()
    const sequence = tools.account(creator).seqNum + 1n
    const codes = tools.run(creator, [create(Asset.native(), "10", [{ to: claimant }, { to: other }])])
    expect(codes.operations).toEqual(["createClaimableBalanceSuccess"])
    const id = idOf(creator, sequence)
    expect(balanceOf(tools, id)?.balance.amount).toBe(10n * XLM)
    expect(sponsoring(tools, creator)).toBe(2)
    expect(tools.balance(creator)).toBe(90n * XLM - 100n)
    expect(tools.run(claimant, [claim(id)]).operations).toEqual(["claimClaimableBalanceSuccess"])
    expect(tools.balance(claimant)).toBe(110n * XLM - 100n)
    expect(sponsoring(tools, creator)).toBe(0)
    expect(balanceOf(tools, id)).toBeUndefined()
    expect(tools.run(other, [claim(id)]).operations).toEqual(["claimClaimableBalanceDoesNotExist"])
  })

  test("the result names the id, which counts the operation's index in its transaction", () => {
    const { tools, creator, claimant } = open()
    const sequence = tools.account(creator).seqNum + 1n
    const operation = create(Asset.native(), "1", [{ to: claimant }])
    const built = tools.build(creator, [operation, operation])
    tools.apply(built)
    const result = tools.network.transaction(built.hash)?.result.result
    const results = result?.type === "txSuccess" ? result.results : []
    const ids = results.map((one) => {
      const made = one.type === "opInner" ? one.tr.value : undefined
      return made?.type === "createClaimableBalanceSuccess" ? made.balanceId : undefined
    })
    expect(ids).toEqual([idOf(creator, sequence, 0), idOf(creator, sequence, 1)])
  })

  test("an issued asset needs no line of its claimant before it is claimed", () => {
    const { tools, creator, claimant } = open()
    const asset = new Asset("NOVA", creator.publicKey())
    const sequence = tools.account(creator).seqNum + 1n
    tools.run(creator, [create(asset, "10", [{ to: claimant }])])
    const id = idOf(creator, sequence)
    expect(tools.run(claimant, [claim(id)]).operations).toEqual(["claimClaimableBalanceNoTrust"])
    tools.run(claimant, [Operation.changeTrust({ asset, limit: "9" })])
    expect(tools.run(claimant, [claim(id)]).operations).toEqual(["claimClaimableBalanceLineFull"])
    tools.run(claimant, [Operation.changeTrust({ asset })])
    expect(tools.run(claimant, [claim(id)]).transaction).toBe("txSuccess")
    expect(tools.line(claimant, asset)?.balance).toBe(10n * XLM)
  })

  test("NOT_AUTHORIZED to claim where the issuer has not agreed", () => {
    const { tools, creator, claimant } = open()
    const asset = new Asset("NOVA", creator.publicKey())
    tools.run(creator, [Operation.setOptions({ setFlags: AuthRequiredFlag })])
    const sequence = tools.account(creator).seqNum + 1n
    tools.run(creator, [create(asset, "10", [{ to: claimant }])])
    tools.run(claimant, [Operation.changeTrust({ asset })])
    expect(tools.run(claimant, [claim(idOf(creator, sequence))]).operations).toEqual([
      "claimClaimableBalanceNotAuthorized",
    ])
  })

  test("CANNOT_CLAIM by a stranger", () => {
    const { tools, creator, claimant, other } = open()
    const sequence = tools.account(creator).seqNum + 1n
    tools.run(creator, [create(Asset.native(), "10", [{ to: claimant }])])
    expect(tools.run(other, [claim(idOf(creator, sequence))]).operations).toEqual([
      "claimClaimableBalanceCannotClaim",
    ])
  })
})

describe("predicates", () => {
  test("before a relative time, then the creator after it: the way a reward can come back", () => {
    const { tools, creator, claimant } = open()
    const until = Claimant.predicateBeforeRelativeTime("60")
    const after = Claimant.predicateNot(until)
    const sequence = tools.account(creator).seqNum + 1n
    const both = [
      { to: claimant, predicate: until },
      { to: creator, predicate: after },
    ]
    tools.run(creator, [create(Asset.native(), "10", both)])
    const id = idOf(creator, sequence)
    // What is stored is absolute: the ledger's close time and 60 seconds.
    const closed = BigInt(tools.network.latest().closeTime)
    const stored = balanceOf(tools, id)?.balance.claimants[0]?.v0.predicate
    expect(stored?.type === "claimPredicateBeforeAbsoluteTime" && stored.absBefore).toBe(closed + 60n)
    expect(tools.run(creator, [claim(id)]).operations).toEqual(["claimClaimableBalanceCannotClaim"])
    tools.close(60)
    expect(tools.run(claimant, [claim(id)]).operations).toEqual(["claimClaimableBalanceCannotClaim"])
    expect(tools.run(creator, [claim(id)]).transaction).toBe("txSuccess")
  })

  test("before an absolute time means strictly before the close time", () => {
    const { tools, creator, claimant } = open()
    const closed = BigInt(tools.network.latest().closeTime)
    // The balance is created 5 s later, and claimed 10 s later.
    const at = (seconds: bigint) => Claimant.predicateBeforeAbsoluteTime((closed + seconds).toString())
    const sequence = tools.account(creator).seqNum + 1n
    tools.run(creator, [
      create(Asset.native(), "1", [{ to: claimant, predicate: at(10n) }]),
      create(Asset.native(), "1", [{ to: claimant, predicate: at(11n) }]),
    ])
    const codes = tools.run(claimant, [claim(idOf(creator, sequence, 0)), claim(idOf(creator, sequence, 1))])
    expect(codes.operations).toEqual(["claimClaimableBalanceCannotClaim", "claimClaimableBalanceSuccess"])
  })

  test("and, or", () => {
    const { tools, creator, claimant, other } = open()
    const never = Claimant.predicateBeforeAbsoluteTime("0")
    const always = Claimant.predicateUnconditional()
    const sequence = tools.account(creator).seqNum + 1n
    const both = [
      { to: claimant, predicate: Claimant.predicateAnd(always, never) },
      { to: other, predicate: Claimant.predicateOr(always, never) },
    ]
    tools.run(creator, [create(Asset.native(), "1", both)])
    const id = idOf(creator, sequence)
    expect(tools.run(claimant, [claim(id)]).operations).toEqual(["claimClaimableBalanceCannotClaim"])
    expect(tools.run(other, [claim(id)]).transaction).toBe("txSuccess")
  })
})

describe("refusals to create", () => {
  test("MALFORMED: no amount, no claimant, one twice, a bad predicate, a bad asset", () => {
    const { tools, creator, claimant } = open()
    const native = xdr.Asset.assetTypeNative()
    const deep = [1, 2, 3, 4].reduce<xdr.ClaimPredicate>(
      (inner) => Claimant.predicateNot(inner),
      Claimant.predicateUnconditional(),
    )
    const bad = (predicate: xdr.ClaimPredicate) => raw(native, 1n, [{ to: claimant, predicate }])
    const attempts = [
      raw(native, 0n, [{ to: claimant }]),
      raw(native, 1n, []),
      raw(native, 1n, [{ to: claimant }, { to: claimant }]),
      bad(xdr.ClaimPredicate.claimPredicateNot(null)),
      bad(xdr.ClaimPredicate.claimPredicateAnd([Claimant.predicateUnconditional()])),
      bad(xdr.ClaimPredicate.claimPredicateOr([])),
      bad(xdr.ClaimPredicate.claimPredicateBeforeAbsoluteTime(-1n)),
      bad(xdr.ClaimPredicate.claimPredicateBeforeRelativeTime(-1n)),
      // Five deep, where four are admitted.
      bad(deep),
    ]
    for (const attempt of attempts) {
      expect(tools.run(creator, [attempt]).operations).toEqual(["createClaimableBalanceMalformed"])
    }
  })

  test("UNDERFUNDED, NO_TRUST, NOT_AUTHORIZED, LOW_RESERVE", () => {
    const { tools, creator, claimant, other } = open()
    const to = [{ to: claimant }]
    const tooMuch = create(Asset.native(), "99.9", to)
    expect(tools.run(creator, [tooMuch]).operations).toEqual(["createClaimableBalanceUnderfunded"])
    const asset = new Asset("NOVA", other.publicKey())
    expect(tools.run(creator, [create(asset, "1", to)]).operations).toEqual(["createClaimableBalanceNoTrust"])
    tools.run(other, [Operation.setOptions({ setFlags: AuthRequiredFlag })])
    tools.run(creator, [Operation.changeTrust({ asset })])
    expect(tools.run(creator, [create(asset, "1", to)]).operations).toEqual([
      "createClaimableBalanceNotAuthorized",
    ])
    // 1 XLM for the account, half for the claimant, and the fee of 100 stroops.
    const poor = tools.fundOne(XLM + XLM / 2n + 100n)
    const least = raw(xdr.Asset.assetTypeNative(), 1n, to)
    expect(tools.run(poor, [least]).operations).toEqual(["createClaimableBalanceLowReserve"])
    const enough = tools.fundOne(XLM + XLM / 2n + 101n)
    expect(tools.run(enough, [least]).transaction).toBe("txSuccess")
  })
})

describe("clawback of a balance", () => {
  const flags = (AuthRevocableFlag | AuthClawbackEnabledFlag) as AuthFlag

  test("by the issuer, where it was enabled when the balance was made", () => {
    const { tools, creator: issuer, claimant, other } = open()
    const asset = new Asset("NOVA", issuer.publicKey())
    const sequence = tools.account(issuer).seqNum + 1n
    tools.run(issuer, [create(asset, "1", [{ to: claimant }])])
    tools.run(issuer, [Operation.setOptions({ setFlags: flags })])
    tools.run(issuer, [create(asset, "1", [{ to: claimant }])])
    tools.run(issuer, [create(Asset.native(), "1", [{ to: claimant }])])
    const clawback = (id: xdr.ClaimableBalanceId) =>
      Operation.clawbackClaimableBalance({ balanceId: id.toXdr("hex") })
    const before = idOf(issuer, sequence)
    const after = idOf(issuer, sequence + 2n)
    const native = idOf(issuer, sequence + 3n)
    const code = (keys: Keypair, id: xdr.ClaimableBalanceId) => tools.run(keys, [clawback(id)]).operations
    expect(code(issuer, idOf(other, 1n))).toEqual(["clawbackClaimableBalanceDoesNotExist"])
    expect(code(issuer, before)).toEqual(["clawbackClaimableBalanceNotClawbackEnabled"])
    expect(code(issuer, native)).toEqual(["clawbackClaimableBalanceNotIssuer"])
    expect(code(other, after)).toEqual(["clawbackClaimableBalanceNotIssuer"])
    expect(sponsoring(tools, issuer)).toBe(3)
    expect(code(issuer, after)).toEqual(["clawbackClaimableBalanceSuccess"])
    expect(sponsoring(tools, issuer)).toBe(2)
    expect(balanceOf(tools, after)).toBeUndefined()
  })
})

test("newKeys gives a claimant that need not exist", () => {
  const { tools, creator } = open()
  expect(tools.run(creator, [create(Asset.native(), "1", [{ to: newKeys() }])]).transaction).toBe("txSuccess")
})
