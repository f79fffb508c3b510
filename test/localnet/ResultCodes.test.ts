/**
 * Every result code that core can give for what this network supports is provoked by a test in this folder,
 * or stands here with the reason why it cannot occur.
 */
import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { xdr } from "@stellar/stellar-sdk"

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
  opTooManySponsoring: "needs 2^32 sponsored reserves, more than all lumens pay for",
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

/** What the other tests of this folder expect, as text. */
const expectations = readdirSync(import.meta.dir)
  .filter((name) => name.endsWith(".test.ts") && name !== "ResultCodes.test.ts")
  .map((name) => readFileSync(join(import.meta.dir, name), "utf8"))
  .join("\n")

const provoked = (code: string): boolean => expectations.includes(`"${code}"`)

const codes = ENUMS.flatMap((type) => [...type.schema.nameByValue.values()])

test("each code is provoked by a test or listed as unreachable, and not both", () => {
  expect(codes.length).toBeGreaterThan(100)
  const successes = new Set(codes.filter((code) => /Success$|^opInner$/.test(code)))
  const missing = codes.filter((code) => !provoked(code) && !(code in UNREACHABLE) && !successes.has(code))
  expect(missing).toEqual([])
  expect(codes.filter((code) => provoked(code) && code in UNREACHABLE)).toEqual([])
})

test("the list of the unreachable names codes that exist", () => {
  expect(Object.keys(UNREACHABLE).filter((code) => !codes.includes(code as (typeof codes)[number]))).toEqual(
    [],
  )
})
