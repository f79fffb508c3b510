/**
 * Every result code that core can give for what this network supports is expected by a test in this folder, which
 * ProvokedCodes.ts names, or stands here with the reason why it cannot occur.
 */
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Asset, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { expectedByTest } from "./Assertions.ts"
import { PROVOKED } from "./ProvokedCodes.ts"
import { openTestNetwork } from "./TestNetwork.ts"

const POOL_SHARES = "liquidity pools: this network has none"
const MALFORMED_SINCE_16 = "checked before inclusion and MALFORMED since protocol 16"

/** Codes that no transaction can bring about, and why. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  paymentNoIssuer: "the issuer is not looked up since protocol 13 (PathPaymentOpFrameBase::checkIssuer)",
  changeTrustSelfNotAllowed: MALFORMED_SINCE_16,
  changeTrustTrustLineMissing: POOL_SHARES,
  changeTrustCannotDelete: POOL_SHARES,
  changeTrustNotAuthMaintainLiabilities: POOL_SHARES,
  allowTrustTrustNotRequired: "AUTH_REQUIRED is not asked for since protocol 16 (isAuthRevocationValid)",
  allowTrustSelfNotAllowed: MALFORMED_SINCE_16,
  allowTrustLowReserve: POOL_SHARES,
  setTrustLineFlagsLowReserve: POOL_SHARES,
  accountMergeDestFull: "all lumens together fit into an int64",
  manageDataNotSupportedYet: "before protocol 2 only",
  claimClaimableBalanceTrustlineFrozen: "frozen keys (CAP-77) are a network setting that is never made here",
  opExceededWorkLimit: "the limit of offers crossed: this network has no DEX",
  opTooManySponsoring: "needs one account that sponsors 2^32 reserves: entries in thousands of millions",
  txInternalError: "a bug of the engine, nothing that a transaction brings about",
  txNotSupported: "v0 envelopes are taken as v1 (TransactionBridge); fee bumps are supported",
  txSorobanInvalid: "Soroban operations are refused as opNOT_SUPPORTED",
  txFrozenKeyAccessed: "frozen keys (CAP-77) are a network setting that is never made here",
}

const ENUMS = [
  xdr.TransactionResultCode,
  xdr.OperationResultCode,
  xdr.CreateAccountResultCode,
  xdr.PaymentResultCode,
  xdr.SetOptionsResultCode,
  xdr.ChangeTrustResultCode,
  xdr.AllowTrustResultCode,
  xdr.AccountMergeResultCode,
  xdr.ManageDataResultCode,
  xdr.BumpSequenceResultCode,
  xdr.CreateClaimableBalanceResultCode,
  xdr.ClaimClaimableBalanceResultCode,
  xdr.BeginSponsoringFutureReservesResultCode,
  xdr.EndSponsoringFutureReservesResultCode,
  xdr.RevokeSponsorshipResultCode,
  xdr.ClawbackResultCode,
  xdr.ClawbackClaimableBalanceResultCode,
  xdr.SetTrustLineFlagsResultCode,
]

/** opInner is no code of its own: it says that the operation's result follows. */
const codes = ENUMS.flatMap((type) => [...type.schema.nameByValue.values()]).filter(
  (code) => code !== "opInner",
)

const expectedIn = (file: string) =>
  expectedByTest(readFileSync(join(import.meta.dir, `${file}.test.ts`), "utf8"))

test("each code is provoked by a test or listed as unreachable, and not both", () => {
  expect(codes.length).toBeGreaterThan(100)
  const listed = [...PROVOKED.flatMap((one) => one.codes), ...Object.keys(UNREACHABLE)]
  expect(listed.toSorted()).toEqual(codes.toSorted())
})

test("the tests that are listed expect the codes that they are listed with", () => {
  const files = new Map(
    [...new Set(PROVOKED.map(({ file }) => file))].map((file) => [file, expectedIn(file)]),
  )
  const missing = PROVOKED.flatMap((one) => {
    const expected = files.get(one.file)?.get(one.test)
    return one.codes
      .filter((code) => expected?.has(code) !== true)
      .map((code) => `${one.file}: ${one.test}: ${code}`)
  })
  expect(missing).toEqual([])
})

test("a code counts where a matcher expects it, not in comments, inputs, skipped tests or negations", () => {
  // A text to be read, with a skipped test in it: nothing here is skipped.
  const source = `
test("first", () => {
  // expect(code).toBe("inComment")
  const refused = ["byConstant"]
  use("asInput").or(") asInput")
  expect(run(keys, ["asArgument"]).operations).toEqual(["expected", "too"])
  expect(other).toEqual(refused)
  expect(other).not.toBe("negated")
  expect(other).toBe(one ? "onCondition" : "onAnother")
})

test.skip("second", () => {
  expect(code).toBe("skipped")
})
`
  const found = [...expectedByTest(source)].map(([title, words]) => [title, [...words]])
  expect(found).toEqual([["first", ["expected", "too", "byConstant"]]])
})

test("two successes that the other tests see as the transaction's alone", () => {
  const { run, fund } = openTestNetwork()
  const [issuer, holder] = fund(2) as [Keypair, Keypair]
  expect(run(issuer, [Operation.setOptions({ homeDomain: "nova.example" })]).operations).toEqual([
    "setOptionsSuccess",
  ])
  const asset = new Asset("NOVA", issuer.publicKey())
  expect(run(holder, [Operation.changeTrust({ asset })]).operations).toEqual(["changeTrustSuccess"])
})
