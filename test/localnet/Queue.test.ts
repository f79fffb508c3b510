/** The transaction queue: stellar-core src/herder/TransactionQueue.cpp, TxQueueLimiter.cpp, TxSetFrame.cpp. */
import { describe, expect, test } from "bun:test"
import { Asset, type Keypair, Operation } from "@stellar/stellar-sdk"
import { bump, closeWithout, many, refusal, toSelf } from "./Queueing.ts"
import { codesOf, openTestNetwork } from "./TestNetwork.ts"

describe("one transaction waits for each source account", () => {
  test("the same again is DUPLICATE, another TRY_AGAIN_LATER, a lower sequence txBAD_SEQ", () => {
    const tools = openTestNetwork()
    const keys = tools.fundOne()
    const { seqNum } = tools.account(keys)
    const first = tools.build(keys, [toSelf(keys)])
    expect(tools.submit(first)).toEqual({ status: "PENDING", hash: first.hash })
    expect(tools.submit(first).status).toBe("DUPLICATE")
    expect(refusal(tools, tools.build(keys, many(keys, 2)))).toBe("TRY_AGAIN_LATER")
    expect(refusal(tools, tools.build(keys, [toSelf(keys)], { sequence: seqNum + 2n }))).toBe(
      "TRY_AGAIN_LATER",
    )
    expect(refusal(tools, tools.build(keys, [toSelf(keys)], { sequence: seqNum }))).toMatchObject({
      transaction: "txBadSeq",
      feeCharged: 0n,
    })
    expect(tools.network.pendingCount()).toBe(1)
  })

  test("an account may be the source of any number of other accounts' operations", () => {
    const tools = openTestNetwork()
    const channels = tools.fund(10)
    const treasury = tools.fundOne()
    for (const channel of channels) {
      const pay = Operation.payment({
        destination: channel.publicKey(),
        asset: Asset.native(),
        amount: "1",
        source: treasury.publicKey(),
      })
      expect(tools.submit(tools.build(channel, [pay], { signers: [channel, treasury] })).status).toBe(
        "PENDING",
      )
    }
    expect(tools.close().successfulTransactions).toBe(10)
  })
})

describe("fee bumps (CAP-15)", () => {
  test("the payer pays, for the inner operations and one; both hashes find it", () => {
    const tools = openTestNetwork()
    const [keys, payer] = tools.fund(2) as [Keypair, Keypair]
    const [before, payerBefore] = [tools.balance(keys), tools.balance(payer)]
    const inner = tools.build(keys, [toSelf(keys)])
    const bumped = bump(tools, inner, payer, 400n)
    expect(tools.submit(bumped)).toEqual({ status: "PENDING", hash: bumped.hash })
    tools.close()
    const applied = tools.network.transaction(bumped.hash)
    expect(applied?.innerHash).toBe(inner.hash)
    expect(tools.network.transaction(inner.hash)).toBe(applied)
    if (applied === undefined) throw new Error("not applied")
    // Two operations at the base fee of 100.
    expect(codesOf(applied.result)).toEqual({
      transaction: "txFeeBumpInnerSuccess",
      inner: "txSuccess",
      operations: ["paymentSuccess"],
      feeCharged: 200n,
    })
    expect(tools.balance(keys)).toBe(before)
    expect(tools.balance(payer)).toBe(payerBefore - 200n)
  })

  test("replaces what waits at the same sequence for ten times its rate, not for less", () => {
    const tools = openTestNetwork()
    const [keys, payer] = tools.fund(2) as [Keypair, Keypair]
    const inner = tools.build(keys, [toSelf(keys)])
    expect(tools.submit(inner).status).toBe("PENDING")
    // canReplaceByFee: 100 stroops for 1 operation waits, so 2 operations need 10 * 100 * 2.
    expect(refusal(tools, bump(tools, inner, payer, 1999n))).toMatchObject({
      transaction: "txInsufficientFee",
      feeCharged: 2000n,
    })
    const enough = bump(tools, inner, payer, 2000n)
    expect(tools.submit(enough).status).toBe("PENDING")
    expect(tools.network.pendingCount()).toBe(1)
    // isDuplicateTx: the inner transaction of a waiting bump waits already.
    expect(tools.submit(inner).status).toBe("DUPLICATE")
    expect(tools.close().transactions.map(({ hash }) => hash)).toEqual([enough.hash])
  })

  test("refusals of the bump itself stand in the outer result", () => {
    const tools = openTestNetwork()
    const [keys, payer] = tools.fund(2) as [Keypair, Keypair]
    const inner = tools.build(keys, [toSelf(keys)], { fee: 500n })
    const outer = (fee: bigint, ...signers: Array<Keypair>) =>
      refusal(tools, bump(tools, inner, payer, fee, signers.length === 0 ? [payer] : signers))
    expect(outer(199n)).toMatchObject({ transaction: "txInsufficientFee", feeCharged: 200n })
    // It has to bid the inner transaction's rate at least: 500 for one operation is 1000 for two.
    expect(outer(999n)).toMatchObject({ transaction: "txInsufficientFee", feeCharged: 1000n })
    expect(outer(1000n, keys)).toMatchObject({ transaction: "txBadAuth" })
    expect(outer(1000n, payer, keys)).toMatchObject({ transaction: "txBadAuthExtra" })
    expect(outer(10_000_000_000_000n)).toMatchObject({ transaction: "txInsufficientBalance" })
  })

  test("an inner refusal is txFEE_BUMP_INNER_FAILED with the inner code", () => {
    const tools = openTestNetwork()
    const [keys, payer] = tools.fund(2) as [Keypair, Keypair]
    const inner = tools.build(keys, [toSelf(keys)], { sequence: 1n })
    expect(refusal(tools, bump(tools, inner, payer, 400n))).toMatchObject({
      transaction: "txFeeBumpInnerFailed",
      inner: "txBadSeq",
    })
  })

  test("the inner transaction may bid less than the base fee", () => {
    const tools = openTestNetwork()
    const [keys, payer] = tools.fund(2) as [Keypair, Keypair]
    const inner = tools.build(keys, [toSelf(keys)], { fee: 0n })
    expect(tools.submit(bump(tools, inner, payer, 200n)).status).toBe("PENDING")
  })
})

describe("capacity", () => {
  test("a ledger takes its operations' worth of the highest bids, and all pay the lowest one taken", () => {
    const tools = openTestNetwork({ operationsPerLedgerMax: 20 })
    const [low, middle, high] = tools.fund(3) as [Keypair, Keypair, Keypair]
    const envelopes = [low, middle, high].map((keys, index) =>
      tools.build(keys, many(keys, 10), { fee: 10n * BigInt(100 + 100 * index) }),
    )
    for (const envelope of envelopes) expect(tools.submit(envelope).status).toBe("PENDING")
    const first = tools.close()
    expect(first.operations).toBe(20)
    expect(tools.network.pendingCount()).toBe(1)
    // Bids of 300 and 200 an operation got in; the surge price is the lower one (computeLaneBaseFee).
    expect(first.transactions.map(({ feeChargedStroops }) => feeChargedStroops)).toEqual([2000n, 2000n])
    const second = tools.close()
    expect(second.transactions.map(({ feeChargedStroops }) => feeChargedStroops)).toEqual([1000n])
  })

  test("without competition a high bid costs the base fee", () => {
    const tools = openTestNetwork()
    const keys = tools.fundOne()
    expect(tools.run(keys, [toSelf(keys)], { fee: 1_000_000n }).feeCharged).toBe(100n)
  })

  test("ten batches of 100 fill a ledger of 1,000; a bumped batch counts 101 and no longer fits", () => {
    const tools = openTestNetwork()
    const channels = tools.fund(10)
    const [payer] = tools.fund(1) as [Keypair]
    const batches = channels.map((keys) => tools.build(keys, many(keys, 100)))
    for (const batch of batches) tools.submit(batch)
    expect(tools.close().operations).toBe(1000)
    const again = channels.map((keys) => tools.build(keys, many(keys, 100)))
    again.forEach((batch, index) => {
      const envelope = index === 0 ? bump(tools, batch, payer, 20_200n) : batch
      expect(tools.submit(envelope).status).toBe("PENDING")
    })
    expect(tools.close().transactions).toHaveLength(9)
    expect(tools.network.pendingCount()).toBe(1)
  })

  test("two ledgers' worth waits; beyond that the lowest bid goes, and whoever does not outbid it", () => {
    // TRANSACTION_QUEUE_SIZE_MULTIPLIER = 2; canFitWithEviction, computeBetterFee.
    const tools = openTestNetwork({ operationsPerLedgerMax: 10 })
    const all = tools.fund(4)
    const [one, two, three, four] = all as [Keypair, Keypair, Keypair, Keypair]
    const ofTen = (keys: Keypair, rate: bigint) => tools.build(keys, many(keys, 10), { fee: 10n * rate })
    const cheap = ofTen(one, 100n)
    expect(tools.submit(cheap).status).toBe("PENDING")
    expect(tools.submit(ofTen(two, 200n)).status).toBe("PENDING")
    expect(refusal(tools, ofTen(three, 100n))).toMatchObject({
      transaction: "txInsufficientFee",
      feeCharged: 1001n,
    })
    expect(tools.submit(ofTen(four, 300n)).status).toBe("PENDING")
    // The evicted one is banned, and its rate has to be beaten from now on.
    expect(tools.submit(cheap).status).toBe("TRY_AGAIN_LATER")
    expect(tools.network.pendingCount()).toBe(2)
  })
})

describe("eviction", () => {
  test("until the next ledger everybody has to outbid what was evicted, room or not", () => {
    // TxQueueLimiter::canAddTx, mLaneEvictedInclusionFee; reset by TransactionQueue::shift.
    const tools = openTestNetwork({ operationsPerLedgerMax: 10 })
    const [one, two, three, four] = tools.fund(4) as [Keypair, Keypair, Keypair, Keypair]
    const of = (keys: Keypair, count: number, rate: bigint) =>
      tools.build(keys, many(keys, count), { fee: BigInt(count) * rate })
    tools.submit(of(one, 10, 100n))
    tools.submit(of(two, 10, 200n))
    expect(tools.submit(of(three, 5, 300n)).status).toBe("PENDING")
    // 15 of 20 operations wait now.
    expect(refusal(tools, of(four, 5, 100n))).toMatchObject({
      transaction: "txInsufficientFee",
      feeCharged: 501n,
    })
    tools.close()
    expect(tools.submit(of(four, 4, 100n)).status).toBe("PENDING")
  })
})

describe("age", () => {
  test("dropped after four ledgers that left it out, banned for ten", () => {
    // TRANSACTION_QUEUE_TIMEOUT_LEDGERS = 4, TRANSACTION_QUEUE_BAN_LEDGERS = 10.
    const tools = openTestNetwork({ operationsPerLedgerMax: 10 })
    const [slow, ...rich] = tools.fund(6) as [Keypair, ...Array<Keypair>]
    const waiting = tools.build(slow, many(slow, 10))
    expect(tools.submit(waiting).status).toBe("PENDING")
    for (const [index, keys] of rich.slice(0, 4).entries()) {
      expect(tools.network.pendingCount()).toBe(1)
      tools.submit(tools.build(keys, many(keys, 10), { fee: 2000n }))
      expect(tools.close().transactions).toHaveLength(1)
      if (index < 3) expect(tools.submit(waiting).status).toBe("DUPLICATE")
    }
    expect(tools.network.pendingCount()).toBe(0)
    for (let ledger = 0; ledger < 10; ledger++) {
      expect(tools.submit(waiting).status).toBe("TRY_AGAIN_LATER")
      tools.close()
    }
    expect(tools.submit(waiting).status).toBe("PENDING")
  })

  test("a fee bump inherits the age of what it replaces", () => {
    // TransactionQueue.cpp: mAge is the account's, and tryAdd leaves it alone when it replaces; shift bans at 4.
    const tools = openTestNetwork()
    const [keys, payer] = tools.fund(2) as [Keypair, Keypair]
    const inner = tools.build(keys, [toSelf(keys)])
    expect(tools.submit(inner).status).toBe("PENDING")
    for (let ledger = 0; ledger < 3; ledger++) closeWithout(tools)
    const bumped = bump(tools, inner, payer, 2000n)
    expect(tools.submit(bumped).status).toBe("PENDING")
    expect(tools.network.pendingCount()).toBe(1)
    closeWithout(tools)
    expect(tools.network.pendingCount()).toBe(0)
    expect(tools.submit(bumped).status).toBe("TRY_AGAIN_LATER")
  })

  test("a fee bump has another hash, so it escapes the ban", () => {
    const tools = openTestNetwork({ operationsPerLedgerMax: 10 })
    const [one, two, three] = tools.fund(3) as [Keypair, Keypair, Keypair]
    const cheap = tools.build(one, many(one, 9), { fee: 900n })
    tools.submit(cheap)
    tools.submit(tools.build(two, many(two, 10), { fee: 2000n }))
    tools.submit(tools.build(three, many(three, 10), { fee: 2000n }))
    expect(tools.submit(cheap).status).toBe("TRY_AGAIN_LATER")
    tools.close()
    tools.close()
    expect(tools.submit(cheap).status).toBe("TRY_AGAIN_LATER")
    expect(tools.submit(bump(tools, cheap, two, 1000n)).status).toBe("PENDING")
  })
})

describe("who pays", () => {
  test("txINSUFFICIENT_BALANCE when the fees that a payer has waiting add up to too much", () => {
    const tools = openTestNetwork()
    const channels = tools.fund(3)
    // Above its reserve of 1 XLM it has 450 stroops: two bumps of 200.
    const payer = tools.fundOne(10_000_450n)
    const answers = channels.map((keys) =>
      refusal(tools, bump(tools, tools.build(keys, [toSelf(keys)]), payer, 200n)),
    )
    // canAdd sets the code on checkValid's result, which charges the minimum: two operations at the base fee.
    const poor = { transaction: "txInsufficientBalance", operations: [], feeCharged: 200n }
    expect(answers).toEqual(["PENDING", "PENDING", poor])
  })

  test("a payer who has become too poor meanwhile: none of its transactions gets in", () => {
    // Three operations a ledger: the two of `rich` and no bump beside; six wait.
    const tools = openTestNetwork({ operationsPerLedgerMax: 3 })
    const channels = tools.fund(2)
    const payer = tools.fundOne(10_001_000n)
    const [rich] = tools.fund(1) as [Keypair]
    for (const keys of channels) {
      const bumped = bump(tools, tools.build(keys, [toSelf(keys)]), payer, 400n)
      expect(tools.submit(bumped).status).toBe("PENDING")
    }
    // Outbids both, and takes what the payer has left for fees: 1,000 stroops above its reserve.
    const away = Operation.payment({
      destination: rich.publicKey(),
      asset: Asset.native(),
      amount: "0.0000500",
      source: payer.publicKey(),
    })
    tools.submit(tools.build(rich, [away, toSelf(rich)], { fee: 10_000n, signers: [rich, payer] }))
    expect(tools.close().transactions).toHaveLength(1)
    // Neither bump can be paid together with the other, so both went with that close.
    expect(tools.network.pendingCount()).toBe(0)
    expect(tools.close().transactions).toHaveLength(0)
  })

  test("friendbot serves many at once, and fails for an account that exists", () => {
    const tools = openTestNetwork()
    const keys = tools.fundOne()
    // Without helpers friendbot is the root account, which may have one transaction waiting.
    const { network } = tools
    const submission = network.submit(network.friendbot(keys.publicKey()))
    expect(submission.status).toBe("PENDING")
    network.closeLedger(2_000_000)
    const applied = network.transaction(submission.hash)
    if (applied === undefined) throw new Error("not applied")
    expect(codesOf(applied.result).operations).toEqual(["createAccountAlreadyExist"])
  })
})
