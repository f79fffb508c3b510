/** Result codes of stellar-core BumpSequence-, ManageData- and MergeOpFrame.cpp. */
import { describe, expect, test } from "bun:test"
import { Asset, AuthImmutableFlag, type Keypair, Operation, xdr } from "@stellar/stellar-sdk"
import { createAccountOperation, newKeys, openTestNetwork, XLM } from "./TestNetwork.ts"

describe("BumpSequence", () => {
  test("forward; back is no error and no change", () => {
    const { run, fundOne, account } = openTestNetwork()
    const keys = fundOne()
    const { seqNum } = account(keys)
    expect(run(keys, [Operation.bumpSequence({ bumpTo: (seqNum + 100n).toString() })]).operations).toEqual([
      "bumpSequenceSuccess",
    ])
    expect(account(keys).seqNum).toBe(seqNum + 100n)
    expect(run(keys, [Operation.bumpSequence({ bumpTo: "5" })]).transaction).toBe("txSuccess")
    expect(account(keys).seqNum).toBe(seqNum + 101n)
  })

  test("BAD_SEQ: a negative number; a low threshold is enough", () => {
    const { run, fundOne } = openTestNetwork()
    const keys = fundOne()
    const body = xdr.OperationBody.bumpSequence(new xdr.BumpSequenceOp({ bumpTo: -1n }))
    expect(run(keys, [new xdr.Operation({ sourceAccount: null, body })]).operations).toEqual([
      "bumpSequenceBadSeq",
    ])
    run(keys, [Operation.setOptions({ medThreshold: 2, highThreshold: 2 })])
    expect(run(keys, [Operation.bumpSequence({ bumpTo: "0" })]).transaction).toBe("txSuccess")
  })
})

describe("ManageData", () => {
  test("sets, changes, removes; a subentry while it is there", () => {
    const { network, run, fundOne, account } = openTestNetwork()
    const keys = fundOne()
    const values = () =>
      network.dataEntries(keys.publicKey()).map(({ entry }) => {
        if (entry.data.type !== "data") throw new Error("not data")
        return [entry.data.data.dataName.toString(), Buffer.from(entry.data.data.dataValue.value).toString()]
      })
    expect(run(keys, [Operation.manageData({ name: "b", value: "one" })]).operations).toEqual([
      "manageDataSuccess",
    ])
    run(keys, [Operation.manageData({ name: "a", value: "two" })])
    run(keys, [Operation.manageData({ name: "b", value: "three" })])
    expect(values()).toEqual([
      ["a", "two"],
      ["b", "three"],
    ])
    expect(account(keys).numSubEntries).toBe(2)
    run(keys, [Operation.manageData({ name: "a", value: null })])
    expect(values()).toEqual([["b", "three"]])
    expect(account(keys).numSubEntries).toBe(1)
  })

  test("NAME_NOT_FOUND, INVALID_NAME, LOW_RESERVE", () => {
    const { run, fundOne } = openTestNetwork()
    const keys = fundOne(XLM + XLM / 2n + 399n)
    const raw = (name: string) =>
      new xdr.Operation({
        sourceAccount: null,
        body: xdr.OperationBody.manageData(new xdr.ManageDataOp({ dataName: name, dataValue: null })),
      })
    expect(run(keys, [raw("")]).operations).toEqual(["manageDataInvalidName"])
    expect(run(keys, [raw("tab\t")]).operations).toEqual(["manageDataInvalidName"])
    // The refusals above cost nothing; these three are applied.
    expect(run(keys, [raw("nothing")]).operations).toEqual(["manageDataNameNotFound"])
    expect(run(keys, [Operation.manageData({ name: "a", value: "1" })]).transaction).toBe("txSuccess")
    expect(run(keys, [Operation.manageData({ name: "b", value: "1" })]).operations).toEqual([
      "manageDataLowReserve",
    ])
  })
})

describe("AccountMerge", () => {
  const merge = (to: Keypair): xdr.Operation => Operation.accountMerge({ destination: to.publicKey() })

  /** Old enough: an account of this very ledger sequence could be made again with a used sequence. */
  const open = () => {
    const tools = openTestNetwork()
    const [keys, other] = tools.fund(2, 100n * XLM) as [Keypair, Keypair]
    tools.close()
    return { ...tools, keys, other }
  }

  test("moves all that is left after the fee, and the account is gone", () => {
    const { run, balance, accountOrNone, keys, other } = open()
    expect(run(keys, [merge(other)]).operations).toEqual(["accountMergeSuccess"])
    expect(balance(other)).toBe(200n * XLM - 100n)
    expect(accountOrNone(keys)).toBeUndefined()
  })

  test("signers go with it, and give their sponsor its reserve back", () => {
    const { run, account, keys, other } = open()
    const signer = { ed25519PublicKey: newKeys().publicKey(), weight: 1 }
    const operations = [
      Operation.beginSponsoringFutureReserves({ sponsoredId: keys.publicKey(), source: other.publicKey() }),
      Operation.setOptions({ signer }),
      Operation.endSponsoringFutureReserves({}),
    ]
    run(keys, operations, { signers: [keys, other] })
    expect(run(keys, [merge(other)]).transaction).toBe("txSuccess")
    const { ext } = account(other)
    const v2 = ext.type === "v1" && ext.v1.ext.type === "v2" ? ext.v1.ext.v2 : undefined
    expect(v2?.numSponsoring).toBe(0)
  })

  test("MALFORMED into itself, NO_ACCOUNT, IMMUTABLE_SET, HAS_SUB_ENTRIES", () => {
    const { run, keys, other } = open()
    expect(run(keys, [merge(keys)]).operations).toEqual(["accountMergeMalformed"])
    expect(run(keys, [merge(newKeys())]).operations).toEqual(["accountMergeNoAccount"])
    const asset = new Asset("NOVA", other.publicKey())
    run(keys, [Operation.changeTrust({ asset })])
    expect(run(keys, [merge(other)]).operations).toEqual(["accountMergeHasSubEntries"])
    run(keys, [
      Operation.changeTrust({ asset, limit: "0" }),
      Operation.setOptions({ setFlags: AuthImmutableFlag }),
    ])
    expect(run(keys, [merge(other)]).operations).toEqual(["accountMergeImmutableSet"])
  })

  test("SEQNUM_TOO_FAR: a sequence that a new account of this ledger would start at, or beyond", () => {
    /** Merges in the ledger after the next one, with a sequence that lies so far from its starting one. */
    const mergeAt = (offset: bigint) => {
      const { network, run, keys, other } = open()
      const starting = BigInt(network.latest().sequence + 2) << 32n
      run(keys, [Operation.bumpSequence({ bumpTo: (starting + offset - 1n).toString() })])
      return run(keys, [merge(other)])
    }
    expect(mergeAt(-1n).operations).toEqual(["accountMergeSuccess"])
    // The starting sequence itself is nobody's to use.
    expect(mergeAt(0n).transaction).toBe("txBadSeq")
    expect(mergeAt(1n).operations).toEqual(["accountMergeSeqnumTooFar"])
  })

  test("SEQNUM_TOO_FAR also for an account that somebody else's transaction merges", () => {
    const { network, run, keys, other } = open()
    const starting = BigInt(network.latest().sequence + 2) << 32n
    run(keys, [Operation.bumpSequence({ bumpTo: starting.toString() })])
    const operation = Operation.accountMerge({ destination: other.publicKey(), source: keys.publicKey() })
    expect(run(other, [operation], { signers: [other, keys] }).operations).toEqual([
      "accountMergeSeqnumTooFar",
    ])
  })

  test("IS_SPONSOR while it pays for somebody", () => {
    const { run, keys, other } = open()
    const made = newKeys()
    run(
      keys,
      [
        Operation.beginSponsoringFutureReserves({ sponsoredId: made.publicKey() }),
        createAccountOperation(made, 0n),
        Operation.endSponsoringFutureReserves({ source: made.publicKey() }),
      ],
      { signers: [keys, made] },
    )
    expect(run(keys, [merge(other)]).operations).toEqual(["accountMergeIsSponsor"])
  })

  test("DEST_FULL is out of reach: no two accounts hold more than all lumens, which int64 holds", () => {
    const { root, balance } = openTestNetwork()
    expect(balance(root) < 9_223_372_036_854_775_807n).toBe(true)
  })

  test("whoever was merged by another's transaction earlier in the ledger: txNO_ACCOUNT, fee taken", () => {
    // The fees of all transactions are taken before the first one applies.
    const { network, build, submit, close, keys, other } = open()
    const merging = build(
      other,
      [Operation.accountMerge({ destination: other.publicKey(), source: keys.publicKey() })],
      { signers: [other, keys] },
    )
    const own = build(keys, [Operation.bumpSequence({ bumpTo: "0" })])
    submit(merging)
    submit(own)
    close()
    const mergedFirst = (network.transaction(merging.hash)?.applicationOrder ?? 0) === 1
    const result = network.transaction(own.hash)?.result
    expect(network.transaction(merging.hash)?.successful).toBe(true)
    expect(result?.result.type).toBe(mergedFirst ? "txNoAccount" : "txSuccess")
    expect(result?.feeCharged).toBe(100n)
  })
})
