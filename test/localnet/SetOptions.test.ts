/** Result codes of stellar-core src/transactions/SetOptionsOpFrame.cpp. */
import { describe, expect, test } from "bun:test"
import {
  AuthClawbackEnabledFlag,
  type AuthFlag,
  AuthImmutableFlag,
  AuthRequiredFlag,
  AuthRevocableFlag,
  type Keypair,
  Operation,
  xdr,
} from "@stellar/stellar-sdk"
import { newKeys, openTestNetwork, XLM } from "./TestNetwork.ts"

type Fields = ConstructorParameters<typeof xdr.SetOptionsOp>[0]

/** As XDR, because the SDK's builder refuses some of what is to be provoked. */
const raw = (fields: Partial<Fields>): xdr.Operation =>
  new xdr.Operation({
    sourceAccount: null,
    body: xdr.OperationBody.setOptions(
      new xdr.SetOptionsOp({
        inflationDest: null,
        clearFlags: null,
        setFlags: null,
        masterWeight: null,
        lowThreshold: null,
        medThreshold: null,
        highThreshold: null,
        homeDomain: null,
        signer: null,
        ...fields,
      }),
    ),
  })

const signer = (keys: Keypair, weight: number): xdr.Signer =>
  new xdr.Signer({ key: xdr.SignerKey.signerKeyTypeEd25519(keys.rawPublicKey()), weight })

const flags = (...all: ReadonlyArray<number>): AuthFlag => all.reduce((sum, one) => sum | one, 0) as AuthFlag

describe("SetOptions", () => {
  test("sets thresholds, weights, home domain, inflation destination and flags", () => {
    const { run, fund, account } = openTestNetwork()
    const [keys, other] = fund(2) as [Keypair, Keypair]
    const codes = run(keys, [
      Operation.setOptions({
        masterWeight: 10,
        lowThreshold: 1,
        medThreshold: 2,
        highThreshold: 3,
        homeDomain: "nova.example",
        inflationDest: other.publicKey(),
        setFlags: flags(AuthRequiredFlag, AuthRevocableFlag),
      }),
    ])
    expect(codes.transaction).toBe("txSuccess")
    const made = account(keys)
    expect([...made.thresholds.value]).toEqual([10, 1, 2, 3])
    expect(made.homeDomain.toString()).toBe("nova.example")
    expect(made.inflationDest?.equals(other.xdrPublicKey())).toBe(true)
    expect(made.flags).toBe(3)
  })

  test("adds, changes and removes signers, kept in key order, each a subentry", () => {
    const { run, fundOne, account } = openTestNetwork()
    const keys = fundOne()
    const extra = [newKeys(), newKeys(), newKeys()]
    for (const one of extra) run(keys, [raw({ signer: signer(one, 1) })])
    const sorted = extra.map((one) => Buffer.from(one.rawPublicKey()).toString("hex")).sort()
    const inLedger = account(keys).signers.map(({ key }) =>
      key.type === "signerKeyTypeEd25519" ? Buffer.from(key.ed25519.value).toString("hex") : "?",
    )
    expect(inLedger).toEqual(sorted)
    expect(account(keys).numSubEntries).toBe(3)
    const [first] = extra as [Keypair]
    run(keys, [raw({ signer: signer(first, 7) })])
    expect(
      account(keys)
        .signers.map(({ weight }) => weight)
        .sort(),
    ).toEqual([1, 1, 7])
    run(keys, [raw({ signer: signer(first, 0) })])
    expect(account(keys).signers).toHaveLength(2)
    expect(account(keys).numSubEntries).toBe(2)
    // Removing one that is not there is no error (deleteSigner).
    expect(run(keys, [raw({ signer: signer(first, 0) })]).transaction).toBe("txSuccess")
  })

  test("UNKNOWN_FLAG, BAD_FLAGS, THRESHOLD_OUT_OF_RANGE, BAD_SIGNER, INVALID_HOME_DOMAIN (doCheckValid)", () => {
    const { run, fundOne } = openTestNetwork()
    const keys = fundOne()
    const code = (fields: Partial<Fields>): ReadonlyArray<string> => run(keys, [raw(fields)]).operations
    expect(code({ setFlags: 16 })).toEqual(["setOptionsUnknownFlag"])
    expect(code({ clearFlags: 32 })).toEqual(["setOptionsUnknownFlag"])
    expect(code({ setFlags: 1, clearFlags: 1 })).toEqual(["setOptionsBadFlags"])
    for (const field of ["masterWeight", "lowThreshold", "medThreshold", "highThreshold"] as const) {
      expect(code({ [field]: 256 })).toEqual(["setOptionsThresholdOutOfRange"])
    }
    expect(code({ signer: signer(keys, 1) })).toEqual(["setOptionsBadSigner"])
    expect(code({ signer: signer(newKeys(), 256) })).toEqual(["setOptionsBadSigner"])
    const emptyPayload = new xdr.SignerKeyEd25519SignedPayload({
      ed25519: newKeys().rawPublicKey(),
      payload: new Uint8Array(0),
    })
    const key = xdr.SignerKey.signerKeyTypeEd25519SignedPayload(emptyPayload)
    expect(code({ signer: new xdr.Signer({ key, weight: 1 }) })).toEqual(["setOptionsBadSigner"])
    expect(code({ homeDomain: "new\nline" })).toEqual(["setOptionsInvalidHomeDomain"])
  })

  test("INVALID_INFLATION: a destination that does not exist", () => {
    const { run, fundOne } = openTestNetwork()
    expect(run(fundOne(), [raw({ inflationDest: newKeys().xdrPublicKey() })]).operations).toEqual([
      "setOptionsInvalidInflation",
    ])
  })

  test("CANT_CHANGE once AUTH_IMMUTABLE is set", () => {
    const { run, fundOne } = openTestNetwork()
    const keys = fundOne()
    run(keys, [Operation.setOptions({ setFlags: AuthImmutableFlag })])
    expect(run(keys, [raw({ setFlags: 1 })]).operations).toEqual(["setOptionsCantChange"])
    expect(run(keys, [raw({ clearFlags: 4 })]).operations).toEqual(["setOptionsCantChange"])
    expect(run(keys, [raw({ homeDomain: "still.possible" })]).transaction).toBe("txSuccess")
  })

  test("AUTH_REVOCABLE_REQUIRED: clawback presupposes it (CAP-35)", () => {
    const { run, fundOne } = openTestNetwork()
    const keys = fundOne()
    const refused = ["setOptionsAuthRevocableRequired"]
    expect(run(keys, [raw({ setFlags: AuthClawbackEnabledFlag })]).operations).toEqual(refused)
    run(keys, [raw({ setFlags: AuthClawbackEnabledFlag | AuthRevocableFlag })])
    expect(run(keys, [raw({ clearFlags: AuthRevocableFlag })]).operations).toEqual(refused)
  })

  test("TOO_MANY_SIGNERS past 20 (MAX_SIGNERS)", () => {
    const { run, fundOne } = openTestNetwork()
    const keys = fundOne()
    const add = (count: number) => Array.from({ length: count }, () => raw({ signer: signer(newKeys(), 1) }))
    expect(run(keys, add(20)).transaction).toBe("txSuccess")
    expect(run(keys, add(1)).operations).toEqual(["setOptionsTooManySigners"])
  })

  test("LOW_RESERVE: a signer takes half a lumen", () => {
    const { run, fundOne } = openTestNetwork()
    const keys = fundOne(XLM + XLM / 2n + 99n)
    expect(run(keys, [raw({ signer: signer(newKeys(), 1) })]).operations).toEqual(["setOptionsLowReserve"])
    const enough = fundOne(XLM + XLM / 2n + 100n)
    expect(run(enough, [raw({ signer: signer(newKeys(), 1) })]).transaction).toBe("txSuccess")
  })
})
