/** Sequence numbers, and when they changed (CAP-21; processSeqNum, maybeUpdateAccountOnLedgerSeqUpdate). */
import { expect, test } from "bun:test"
import { Asset, type Keypair, Operation } from "@stellar/stellar-sdk"
import { codesOf, newKeys, openTestNetwork, type TestNetwork, XLM } from "./TestNetwork.ts"

const changed = (tools: TestNetwork, keys: Keypair) => {
  const { ext } = tools.account(keys)
  const v2 = ext.type === "v1" && ext.v1.ext.type === "v2" ? ext.v1.ext.v2 : undefined
  return v2?.ext.type === "v3" ? { ledger: v2.ext.v3.seqLedger, time: v2.ext.v3.seqTime } : undefined
}

const toSelf = (keys: Keypair) =>
  Operation.payment({ destination: keys.publicKey(), asset: Asset.native(), amount: "1" })

test("a new account has no extension; its first transaction gives it seqLedger and seqTime", () => {
  const tools = openTestNetwork()
  const keys = tools.fundOne()
  expect(changed(tools, keys)).toBeUndefined()
  tools.run(keys, [toSelf(keys)])
  const { sequence, closeTime } = tools.network.latest()
  expect(changed(tools, keys)).toEqual({ ledger: sequence, time: BigInt(closeTime) })
})

test("a failed transaction consumes its sequence all the same, and no other account's", () => {
  const tools = openTestNetwork()
  const keys = tools.fundOne()
  const { seqNum } = tools.account(keys)
  const nobody = Operation.payment({ destination: newKeys().publicKey(), asset: Asset.native(), amount: "1" })
  expect(tools.run(keys, [nobody]).transaction).toBe("txFailed")
  expect(tools.account(keys).seqNum).toBe(seqNum + 1n)
  expect(changed(tools, keys)?.ledger).toBe(tools.network.latest().sequence)
})

test("receiving changes no sequence", () => {
  const tools = openTestNetwork()
  const [from, to] = tools.fund(2) as [Keypair, Keypair]
  const { seqNum } = tools.account(to)
  tools.run(from, [Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount: "1" })])
  expect(tools.account(to).seqNum).toBe(seqNum)
  expect(changed(tools, to)).toBeUndefined()
})

test("an operation's source that is not the transaction's keeps its sequence", () => {
  const tools = openTestNetwork()
  const [channel, treasury] = tools.fund(2) as [Keypair, Keypair]
  const { seqNum } = tools.account(treasury)
  const pay = Operation.payment({
    destination: channel.publicKey(),
    asset: Asset.native(),
    amount: "1",
    source: treasury.publicKey(),
  })
  expect(tools.run(channel, [pay], { signers: [channel, treasury] }).transaction).toBe("txSuccess")
  expect(tools.account(treasury).seqNum).toBe(seqNum)
  // The fee is the transaction source's.
  expect(tools.balance(treasury)).toBe(999n * XLM)
  expect(tools.balance(channel)).toBe(1001n * XLM - 100n)
})

test("the same envelope never applies twice", () => {
  const tools = openTestNetwork()
  const [from, to] = tools.fund(2) as [Keypair, Keypair]
  const operation = Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount: "1" })
  const built = tools.build(from, [operation])
  expect(tools.submit(built).status).toBe("PENDING")
  expect(tools.submit(built).status).toBe("DUPLICATE")
  tools.close()
  // What was applied is banned for ten ledgers (TransactionQueue::removeApplied), and then has a bad sequence.
  for (let ledger = 0; ledger < 9; ledger++) {
    expect(tools.submit(built).status).toBe("TRY_AGAIN_LATER")
    tools.close()
  }
  const after = tools.submit(built)
  expect(after.status === "ERROR" && after.result.result.type).toBe("txBadSeq")
  expect(tools.balance(to)).toBe(1001n * XLM)
})

test("a transaction that others made invalid within the ledger still consumes fee and sequence", () => {
  // commonValid while applying: past the sequence check it is kInvalidUpdateSeqNum, so processSeqNum runs.
  for (let attempt = 0; attempt < 20; attempt++) {
    const tools = openTestNetwork()
    const [keys, other] = tools.fund(2) as [Keypair, Keypair]
    const { seqNum } = tools.account(keys)
    const lockOut = Operation.setOptions({ masterWeight: 0, source: keys.publicKey() })
    tools.submit(tools.build(other, [lockOut], { signers: [other, keys], fee: 100n + BigInt(attempt) }))
    const locked = tools.build(keys, [toSelf(keys)])
    tools.submit(locked)
    tools.close()
    const applied = tools.network.transaction(locked.hash)
    // The order of application follows from hashes: the fee is varied until the lock comes first.
    if (applied?.applicationOrder !== 2) continue
    expect(codesOf(applied.result)).toEqual({ transaction: "txBadAuth", operations: [], feeCharged: 100n })
    expect(tools.account(keys).seqNum).toBe(seqNum + 1n)
    expect(tools.balance(keys)).toBe(1000n * XLM - 100n)
    return
  }
  throw new Error("the lock never came first")
})
