/** Bids by hand, and held against the queue of the embedded network, which has core's rule from core's source. */
import { describe, expect, test } from "bun:test"
import { Account, Asset, Operation, Transaction, TransactionBuilder } from "@stellar/stellar-sdk"
import fc from "fast-check"
import { openNetwork } from "../../layers/localnet/LocalNetwork.ts"
import { bidForOperation, bumpFee, isSurging, operationsForBatch } from "../../src/issuance/FeeBid.ts"
import { buildFeeBump } from "../../src/issuance/FeeBump.ts"
import { keypairNamed, sequenceOf } from "./FeeAccounts.ts"

const limits = { baseFeeStroops: 100, feeStroopsMax: 10_000 }
const quiet = { p90Stroops: 100n }
const noTransactions = { p90Stroops: 0n }
const surge = { p90Stroops: 700n }

describe("the bid of a new envelope", () => {
  test("is the floor while nobody pays more, and where nobody paid at all", () => {
    expect(bidForOperation(quiet, limits)).toBe(100n)
    expect(bidForOperation(noTransactions, limits)).toBe(100n)
  })

  test("is one stroop above what nine of ten were charged", () => {
    expect(bidForOperation(surge, limits)).toBe(701n)
    expect(bidForOperation({ p90Stroops: 101n }, limits)).toBe(102n)
  })

  test("never passes the cap", () => {
    expect(bidForOperation({ p90Stroops: 9_999n }, limits)).toBe(10_000n)
    expect(bidForOperation({ p90Stroops: 10_000n }, limits)).toBe(10_000n)
    expect(bidForOperation({ p90Stroops: 2_000_000n }, limits)).toBe(10_000n)
  })

  test("is the higher floor that an operator asks for", () => {
    const generous = { ...limits, baseFeeStroops: 1_000 }
    expect(bidForOperation(surge, generous)).toBe(1_000n)
    expect(isSurging(surge, generous)).toBe(false)
  })

  test("takes a quiet ledger's fee bumps for no surge, though RPC tells 200 of them", () => {
    expect(isSurging({ p90Stroops: 200n }, limits)).toBe(false)
    expect(isSurging({ p90Stroops: 201n }, limits)).toBe(true)
  })
})

describe("a batch", () => {
  test("is full in quiet times, and leaves room for a fee bump's own operation in a surge", () => {
    expect(operationsForBatch(quiet, limits, 100)).toBe(100)
    expect(operationsForBatch(surge, limits, 100)).toBe(99)
    // Where it is smaller anyway, a bump has room.
    expect(operationsForBatch(surge, limits, 40)).toBe(40)
  })
})

describe("the fee of a bump", () => {
  const plan = { innerOperations: 100, offered: [], refusals: [], charged: quiet, limits }

  test("is ten times the rate, for one operation more", () => {
    // 100 operations at 100 stroops: 10 * 10,000 * 101 / 100.
    const offered = [{ feeStroops: 10_000n, operations: 100 }]
    expect(bumpFee({ ...plan, offered })).toBe(101_000n)
    // One operation at 100: the bump counts 2, 10 * 100 * 2 / 1.
    expect(bumpFee({ ...plan, innerOperations: 1, offered: [{ feeStroops: 100n, operations: 1 }] })).toBe(
      2_000n,
    )
  })

  test("is rounded up", () => {
    // 10 * 301 * 4 / 3 = 4,013.33
    expect(bumpFee({ ...plan, innerOperations: 3, offered: [{ feeStroops: 301n, operations: 3 }] })).toBe(
      4_014n,
    )
  })

  test("beats the dearest earlier offer, fee bumps among them", () => {
    const offered = [
      { feeStroops: 300n, operations: 3 },
      { feeStroops: 804n, operations: 4 },
    ]
    // 10 * 804 * 4 / 4, against 10 * 300 * 4 / 3 = 4,000.
    expect(bumpFee({ ...plan, innerOperations: 3, offered })).toBe(8_040n)
  })

  test("is no less than what a refusal stated, by its rate", () => {
    const offered = [{ feeStroops: 200n, operations: 2 }]
    // 10 * 200 * 3 / 2 = 3,000; a refused bump of 3 operations was told 5,001; a refused inner of 2 was told 5,001.
    const bump = { feeStroops: 5_001n, operations: 3 }
    const inner = { feeStroops: 5_001n, operations: 2 }
    expect(bumpFee({ ...plan, innerOperations: 2, offered, refusals: [bump] })).toBe(5_001n)
    // 5,001 * 3 / 2 = 7,501.5
    expect(bumpFee({ ...plan, innerOperations: 2, offered, refusals: [inner, bump] })).toBe(7_502n)
  })

  test("is no less than the present bid", () => {
    const offered = [{ feeStroops: 200n, operations: 2 }]
    // 3 operations at 4,001, against 3,000.
    const charged = { p90Stroops: 4_000n }
    expect(bumpFee({ ...plan, innerOperations: 2, offered, charged })).toBe(12_003n)
  })

  test("is none above the cap for an operation, and may be just the cap", () => {
    const at = (feeStroops: bigint) =>
      bumpFee({ ...plan, innerOperations: 1, offered: [{ feeStroops, operations: 1 }] })
    // Cap: 2 * 10,000. 10 * 1,000 * 2 = 20,000.
    expect(at(1_000n)).toBe(20_000n)
    expect(at(1_001n)).toBeUndefined()
  })
})

describe("the embedded network's queue", () => {
  const passphrase = "Fee bids ; 2026"
  const payer = keypairNamed("payer")

  /** The SDK's builder knows only multiples; in the XDR the fee follows envelope type, key type and key. */
  const withFee = (transaction: Transaction, feeStroops: bigint) => {
    const bytes = Buffer.from(transaction.toXDR(), "base64")
    bytes.writeUInt32BE(Number(feeStroops), 4 + 4 + 32)
    return new Transaction(bytes.toString("base64"), passphrase)
  }

  /** A transaction of `operations` for `fee`, waiting in the queue, and what bumps of it are told. */
  const waiting = (operations: number, feeStroops: bigint) => {
    const network = openNetwork({ settings: { passphrase }, now: () => 0 })
    network.closeLedger(1)
    network.submit(network.friendbot(payer.publicKey()))
    network.closeLedger(2)
    const account = new Account(payer.publicKey(), String(sequenceOf(network, payer)))
    const builder = new TransactionBuilder(account, { fee: "100", networkPassphrase: passphrase }).setTimeout(
      0,
    )
    for (let index = 0; index < operations; index++) {
      builder.addOperation(
        Operation.payment({ destination: payer.publicKey(), asset: Asset.native(), amount: "1" }),
      )
    }
    const inner = withFee(builder.build(), feeStroops)
    inner.sign(payer)
    const bump = (fee: bigint) => {
      const unsigned = buildFeeBump({
        innerXdr: inner.toXDR(),
        feeAddress: payer.publicKey(),
        feeStroops: fee,
      })
      const transaction = TransactionBuilder.fromXDR(unsigned, passphrase)
      transaction.sign(payer)
      return network.submit(transaction.toXDR())
    }
    expect(network.submit(inner.toXDR()).status).toBe("PENDING")
    return bump
  }

  test("takes just this fee, refuses a stroop less, and names this one as the least", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 100, max: 900 }),
        (operations, rate) => {
          // A few stroops above a multiple, so that the division has a remainder.
          const feeStroops = BigInt(operations * rate + (rate % 7))
          const fee = bumpFee({
            innerOperations: operations,
            offered: [{ feeStroops, operations }],
            refusals: [],
            charged: quiet,
            limits,
          })
          if (fee === undefined) return
          const bump = waiting(operations, feeStroops)
          const refused = bump(fee - 1n)
          expect(refused.status).toBe("ERROR")
          if (refused.status === "ERROR") {
            expect(refused.result.result.type).toBe("txInsufficientFee")
            expect(refused.result.feeCharged).toBe(fee)
          }
          expect(bump(fee).status).toBe("PENDING")
        },
      ),
      { numRuns: 25 },
    ))
})
