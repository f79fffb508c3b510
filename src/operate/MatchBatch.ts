/**
 * Which rows a transaction of ours paid, found from its memo alone. Pure.
 *
 * The memo is a hash over id, wallet and amount of each reward in operation order (src/issuance/BatchMemo.ts), so it
 * proves a guess and gives none. What makes guessing possible: each operation names wallet and amount, and the rewards
 * of a batch stand in ascending order of their ids.
 *
 * The search begins at each row that fits the first operation and takes, for each further one, the next row that fits.
 * That finds every batch that took rewards as they waited in line. Then it allows one row to be passed over, then two,
 * and so on, up to a bound on the arrangements tried. A match that is not found within the bound is no error: the
 * payments are then left for a person.
 */
import { batchMemo } from "../issuance/BatchMemo.ts"
import type { BatchPayment } from "../issuance/BatchPayment.ts"
import type { LedgerPayment } from "./LedgerTransaction.ts"

/** A row that one of the operations could have paid. */
export interface Candidate {
  readonly issuanceId: string
  /** G... or M... */
  readonly walletAddress: string
  readonly amountStroops: bigint
}

/** Arrangements that are compared with the memo at most; each costs one hash of about 100 bytes for each operation. */
export const ARRANGEMENTS_MAX = 20_000

/** Rows that are passed over at most in one arrangement. */
const PASSED_OVER_MAX = 3

const keyOf = (one: { readonly walletAddress: string; readonly amountStroops: bigint }): string =>
  `${one.walletAddress} ${one.amountStroops}`

const memoOf = (payments: ReadonlyArray<LedgerPayment>, ids: ReadonlyArray<string>): string =>
  Buffer.from(
    batchMemo(
      payments.map(
        ({ amountStroops, balance, walletAddress }, index): BatchPayment => ({
          issuanceId: ids[index] ?? "",
          walletAddress,
          amountStroops,
          payout: balance === undefined ? "payment" : "claimable_balance",
          reclaimAfterSeconds: 0,
        }),
      ),
    ),
  ).toString("hex")

/** The first place in an ascending list whose id is above `id`. */
const firstAbove = (ids: ReadonlyArray<string>, id: string): number => {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ids[middle] ?? "") > id) high = middle
    else low = middle + 1
  }
  return low
}

/** Arrangements of ascending ids, one for each list, in which exactly `passedOver` fitting rows are left out. */
function* arrangements(
  lists: ReadonlyArray<ReadonlyArray<string>>,
  chosen: ReadonlyArray<string>,
  passedOver: number,
): Generator<ReadonlyArray<string>> {
  const list = lists[chosen.length]
  if (list === undefined) {
    if (passedOver === 0) yield chosen
    return
  }
  const isFirst = chosen.length === 0
  const start = isFirst ? 0 : firstAbove(list, chosen.at(-1) ?? "")
  // Where a batch begins is free; from there on, each row that is passed over counts.
  const end = isFirst ? list.length - 1 : Math.min(list.length - 1, start + passedOver)
  for (let place = start; place <= end; place++) {
    const id = list[place]
    if (id === undefined) return
    yield* arrangements(lists, [...chosen, id], isFirst ? passedOver : passedOver - (place - start))
  }
}

export type Match =
  /** Proven by the memo: operation i paid reward i. */
  | { readonly _tag: "Matched"; readonly issuanceIds: ReadonlyArray<string> }
  /** Some operation fits no row at all, or none of the arrangements is the one. */
  | { readonly _tag: "Unmatched" }
  /** The bound was reached before every arrangement had been tried. */
  | { readonly _tag: "GaveUp" }

/**
 * @param memoHash hex
 * @param candidates in any order; of other wallets and amounts too
 */
export const matchBatch = (
  memoHash: string,
  payments: ReadonlyArray<LedgerPayment>,
  candidates: ReadonlyArray<Candidate>,
): Match => {
  const byKey = new Map<string, Array<string>>()
  for (const candidate of candidates) {
    const ids = byKey.get(keyOf(candidate))
    if (ids === undefined) byKey.set(keyOf(candidate), [candidate.issuanceId])
    else ids.push(candidate.issuanceId)
  }
  for (const ids of byKey.values()) ids.sort()
  const lists = payments.map((payment) => byKey.get(keyOf(payment)) ?? [])
  if (payments.length === 0 || lists.some((list) => list.length === 0)) return { _tag: "Unmatched" }
  let tried = 0
  for (let passedOver = 0; passedOver <= PASSED_OVER_MAX; passedOver++) {
    for (const ids of arrangements(lists, [], passedOver)) {
      if (memoOf(payments, ids) === memoHash) return { _tag: "Matched", issuanceIds: ids }
      if (++tried >= ARRANGEMENTS_MAX) return { _tag: "GaveUp" }
    }
  }
  return tried === 0 ? { _tag: "Unmatched" } : { _tag: "GaveUp" }
}
