import { describe, expect, test } from "bun:test"
import { Asset, Keypair, xdr } from "@stellar/stellar-sdk"
import { predicateDetails } from "../../layers/localnet/horizon/OperationDetails.ts"
import { amountText, assetFields, assetText, timeText } from "../../layers/localnet/horizon/Render.ts"

const issuer = Keypair.fromRawEd25519Seed(Buffer.alloc(32, 7)).publicKey()

describe("what Horizon's fields look like", () => {
  test("amounts: seven places, to the last stroop of an int64", () => {
    expect(amountText(0n)).toBe("0.0000000")
    expect(amountText(1n)).toBe("0.0000001")
    expect(amountText(15_000_000n)).toBe("1.5000000")
    // 2^63 - 1 stroops: the largest limit of a trustline, as in Horizon's "retrieve an account" example.
    expect(amountText(9_223_372_036_854_775_807n)).toBe("922337203685.4775807")
    expect(amountText(-1n)).toBe("-0.0000001")
  })

  test("times: RFC 3339 in UTC without a fraction", () => {
    expect(timeText(0)).toBe("1970-01-01T00:00:00Z")
    // 951782400 = 2000-02-29T00:00:00Z: a leap day in a century year that has one.
    expect(timeText(951_782_400)).toBe("2000-02-29T00:00:00Z")
  })

  test("assets by fields and in SEP-11 form", () => {
    expect(assetFields(Asset.native().toXdrObject())).toEqual({ asset_type: "native" })
    expect(assetText(Asset.native().toXdrObject())).toBe("native")
    const four = new Asset("NOVA", issuer).toXdrObject()
    expect(assetFields(four)).toEqual({
      asset_type: "credit_alphanum4",
      asset_code: "NOVA",
      asset_issuer: issuer,
    })
    expect(assetText(new Asset("NO", issuer).toXdrObject())).toBe(`NO:${issuer}`)
    expect(assetFields(new Asset("NOVA5", issuer).toXdrObject()).asset_type).toBe("credit_alphanum12")
  })

  test("claim predicates as Go's xdr.ClaimPredicate writes them", () => {
    const { ClaimPredicate } = xdr
    const predicate = ClaimPredicate.claimPredicateAnd([
      ClaimPredicate.claimPredicateNot(ClaimPredicate.claimPredicateBeforeAbsoluteTime(951_782_400n)),
      ClaimPredicate.claimPredicateOr([
        ClaimPredicate.claimPredicateUnconditional(),
        ClaimPredicate.claimPredicateBeforeRelativeTime(60n),
      ]),
    ])
    expect(predicateDetails(predicate)).toEqual({
      and: [
        { not: { abs_before: "2000-02-29T00:00:00Z", abs_before_epoch: "951782400" } },
        { or: [{ unconditional: true }, { rel_before: "60" }] },
      ],
    })
  })
})
