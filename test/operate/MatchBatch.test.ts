/** A memo proves which rows a batch paid; the search for them is bounded. */
import { describe, expect, it } from "bun:test"
import { createHash } from "node:crypto"
import type { LedgerPayment } from "../../src/operate/LedgerTransaction.ts"
import { type Candidate, matchBatch } from "../../src/operate/MatchBatch.ts"

const wallet = (name: string) => `G${name.padEnd(55, "A")}`

const rowsOf = (...rows: ReadonlyArray<readonly [id: string, name: string, stroops: bigint]>) =>
  rows.map(
    ([id, name, amountStroops]): Candidate => ({
      issuanceId: id,
      walletAddress: wallet(name),
      amountStroops,
    }),
  )

/** The batch that pays these rows, with the memo as src/issuance/BatchMemo.ts describes it in words. */
const batchOf = (rows: ReadonlyArray<Candidate>) => {
  const lines = rows.map((row) => `${row.issuanceId} ${row.walletAddress} ${row.amountStroops}\n`)
  return {
    memo: createHash("sha256")
      .update(`nova-batch-v1\n${lines.join("")}`)
      .digest("hex"),
    payments: rows.map(
      ({ amountStroops, walletAddress }, operationIndex): LedgerPayment => ({
        operationIndex,
        walletAddress,
        walletAccount: walletAddress,
        amountStroops,
        balance: undefined,
      }),
    ),
  }
}

const match = (batch: ReturnType<typeof batchOf>, rows: ReadonlyArray<Candidate>) =>
  matchBatch(batch.memo, batch.payments, rows)
const matched = (...issuanceIds: ReadonlyArray<string>) => ({ _tag: "Matched" as const, issuanceIds })

describe("matching a batch", () => {
  it("tells rows apart that look alike, in any order", () => {
    const rows = rowsOf(["a", "x", 5n], ["b", "x", 5n], ["c", "y", 5n], ["d", "x", 5n], ["e", "x", 6n])
    expect(match(batchOf(rows), rows.toReversed())).toEqual(matched("a", "b", "c", "d", "e"))
    expect(match(batchOf(rows.slice(1, 4)), rows)).toEqual(matched("b", "c", "d"))
    // One that fits was passed over.
    expect(match(batchOf(rowsOf(["a", "x", 5n], ["d", "x", 5n])), rows)).toEqual(matched("a", "d"))
  })

  it("is not taken in by other ids, wallets, amounts or another order", () => {
    const rows = rowsOf(["a", "x", 5n], ["b", "y", 6n])
    const { memo, payments } = batchOf(rows)
    expect(match(batchOf(rowsOf(["a", "x", 5n], ["c", "y", 6n])), rows)._tag).toBe("GaveUp")
    expect(matchBatch(memo, payments.slice(0, 1), rows)._tag).toBe("GaveUp")
    expect(match({ memo, payments }, rows.slice(0, 1))).toEqual({ _tag: "Unmatched" })
    expect(match(batchOf(rows.toReversed()), rows)._tag).toBe("Unmatched")
    expect(matchBatch(memo, [], rows)).toEqual({ _tag: "Unmatched" })
  })

  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, index): Candidate => {
      const number = from + index
      return {
        issuanceId: String(number).padStart(6, "0"),
        walletAddress: wallet(`w${number % 3}`),
        amountStroops: 7n,
      }
    })

  it("finds a full batch in the middle of a thousand that look alike", () => {
    const batch = many(400, 100)
    expect(match(batchOf(batch), many(0, 1000))).toEqual(matched(...batch.map((row) => row.issuanceId)))
  })

  it("gives up at its bound instead of searching for ever", () => {
    const lost = many(1000, 100)
    expect(match(batchOf(lost), many(0, 1000))).toEqual({ _tag: "GaveUp" })
  })
})
