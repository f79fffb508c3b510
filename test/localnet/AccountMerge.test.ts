/** AccountMerge beside other transactions and inside a sponsorship: stellar-core src/transactions/MergeOpFrame.cpp. */
import { expect, test } from "bun:test"
import { type Keypair, Operation } from "@stellar/stellar-sdk"
import { conditions } from "./Conditions.ts"
import { codesOf, openTestNetwork, type TestNetwork } from "./TestNetwork.ts"

const appliedOf = ({ network }: TestNetwork, hash: string) => {
  const applied = network.transaction(hash)
  if (applied === undefined) throw new Error("not applied")
  return { order: applied.applicationOrder, ...codesOf(applied.result) }
}

test("SEQNUM_TOO_FAR for a sequence that the account's own transaction of this ledger uses, applied or not", () => {
  // isSeqnumTooFar looks at MAX_SEQ_NUM_TO_APPLY as well: sequences are consumed one by one while the ledger's
  // transactions apply (CAP-21), so the entry may still stand below what this ledger will have used.
  const tools = openTestNetwork()
  const pairs = Array.from({ length: 12 }, () => tools.fund(2) as [Keypair, Keypair])
  tools.close()
  const starting = BigInt(tools.network.latest().sequence + 1) << 32n
  const submitted = pairs.map(([keys, other]) => {
    // A minimum sequence lets a transaction leap: here over the one that a new account would start at.
    const own = tools.build(keys, [Operation.bumpSequence({ bumpTo: "0" })], {
      sequence: starting + 1n,
      conditions: conditions({ minSeqNum: 0n }),
    })
    const merge = Operation.accountMerge({ destination: other.publicKey(), source: keys.publicKey() })
    const merging = tools.build(other, [merge], { signers: [other, keys] })
    expect(tools.submit(own).status).toBe("PENDING")
    expect(tools.submit(merging).status).toBe("PENDING")
    return { keys, own, merging }
  })
  expect(tools.close().transactions).toHaveLength(24)
  const orders = submitted.map(({ keys, own, merging }) => {
    const [ownApplied, mergeApplied] = [appliedOf(tools, own.hash), appliedOf(tools, merging.hash)]
    expect(mergeApplied.operations).toEqual(["accountMergeSeqnumTooFar"])
    expect(ownApplied.transaction).toBe("txSuccess")
    expect(tools.account(keys).seqNum).toBe(starting + 1n)
    return mergeApplied.order < ownApplied.order
  })
  // Hashes decide the order; of twelve pairs some come out either way.
  expect(new Set(orders)).toEqual(new Set([true, false]))
})

test("IS_SPONSOR while a sponsorship that it began is open, though it pays for nothing yet", () => {
  // doApplyFromV14: loadSponsorshipCounter(source).
  const { run, fund, account } = openTestNetwork()
  const [keys, other] = fund(2) as [Keypair, Keypair]
  const begin = Operation.beginSponsoringFutureReserves({ sponsoredId: other.publicKey() })
  const merge = Operation.accountMerge({ destination: other.publicKey() })
  const end = Operation.endSponsoringFutureReserves({ source: other.publicKey() })
  expect(run(keys, [begin, merge, end], { signers: [keys, other] }).operations).toEqual([
    "beginSponsoringFutureReservesSuccess",
    "accountMergeIsSponsor",
    "endSponsoringFutureReservesSuccess",
  ])
  expect(account(keys).numSubEntries).toBe(0)
})
