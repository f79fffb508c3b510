/**
 * Transactions that wait for a ledger: one for each sequence source (stellar-core
 * src/herder/TransactionQueue.cpp, src/herder/TxQueueLimiter.cpp). It is memory only, as a node's is.
 */
import { hexOf } from "../ledger/Codec.ts"
import type { AccountKey } from "../ledger/Entries.ts"
import type { EnvelopeFrame } from "../ledger/Frame.ts"
import { availableBalance, type LedgerTerms } from "../ledger/Reserves.ts"
import type { Verdict } from "../ledger/Results.ts"
import type { LedgerState } from "../ledger/State.ts"
import { fullHash, innerFullHash } from "../ledger/TransactionSet.ts"
import { betterFee, compareRates } from "./SurgePricing.ts"

/** TRANSACTION_QUEUE_TIMEOUT_LEDGERS */
export const PENDING_LEDGERS = 4
/** TRANSACTION_QUEUE_BAN_LEDGERS */
export const BAN_LEDGERS = 10
/** TransactionQueue::FEE_MULTIPLIER: how much more a replacement has to bid. */
export const REPLACE_MULTIPLIER = 10n
/** TRANSACTION_QUEUE_SIZE_MULTIPLIER: ledgers' worth of operations that wait at most. */
export const POOL_LEDGERS = 2

export type Addition =
  | { readonly status: "PENDING" | "DUPLICATE" | "TRY_AGAIN_LATER" }
  | { readonly status: "ERROR"; readonly verdict: Verdict }

interface Waiting {
  readonly frame: EnvelopeFrame
  /** Ledgers that closed without anything of its source: AccountState::mAge, which a replacement inherits. */
  age: number
}

export interface QueueView {
  readonly state: LedgerState
  readonly terms: LedgerTerms
  readonly operationsPerLedgerMax: number
  readonly validate: (frame: EnvelopeFrame) => Verdict
}

export interface TransactionQueue {
  readonly add: (frame: EnvelopeFrame, view: QueueView) => Addition
  readonly waiting: () => ReadonlyArray<EnvelopeFrame>
  readonly size: () => number
  readonly isPending: (source: AccountKey) => boolean
  /** Drops what can never apply any more, and bans it. */
  readonly ban: (frames: ReadonlyArray<EnvelopeFrame>) => void
  /** After a close: what was applied leaves, the rest ages. */
  readonly ledgerClosed: (applied: ReadonlyArray<EnvelopeFrame>) => void
}

const banHash = (frame: EnvelopeFrame): string => hexOf(fullHash(frame))

/** Hashes that are refused for ten ledgers; the front is the ledger being built. */
const makeBans = (): { add: (hash: string) => void; has: (hash: string) => boolean; shift: () => void } => {
  const byLedger: Array<Set<string>> = Array.from({ length: BAN_LEDGERS }, () => new Set<string>())
  return {
    add: (hash) => {
      byLedger[0]?.add(hash)
    },
    has: (hash) => byLedger.some((hashes) => hashes.has(hash)),
    shift: () => {
      byLedger.pop()
      byLedger.unshift(new Set())
    },
  }
}

const refused = (code: Verdict["code"], feeCharged = 0n): Addition => ({
  status: "ERROR",
  verdict: { code, outer: true, feeCharged, operations: [] },
})

/** isDuplicateTx: the same envelope, or the inner transaction of a fee bump that waits already. */
const isDuplicate = (waiting: EnvelopeFrame, frame: EnvelopeFrame): boolean => {
  if (waiting.feeBump === frame.feeBump) return banHash(waiting) === banHash(frame)
  const inner = innerFullHash(waiting)
  return inner !== undefined && hexOf(inner) === banHash(frame)
}

/** canReplaceByFee: the smallest fee that replaces `old`, or undefined when `frame` bids enough. */
const replacementFeeMissing = (frame: EnvelopeFrame, old: EnvelopeFrame): bigint | undefined => {
  const newOperations = BigInt(Math.max(1, frame.operationCount))
  const oldOperations = BigInt(Math.max(1, old.operationCount))
  const needed = old.fee * newOperations * REPLACE_MULTIPLIER
  if (frame.fee * oldOperations >= needed) return undefined
  return (needed + oldOperations - 1n) / oldOperations
}

type Room = { readonly evict: ReadonlyArray<EnvelopeFrame> } | { readonly minimumFee: bigint }

/** canFitWithEviction: what has to go for `frame` to fit, or the fee that would make it fit (0: nothing does). */
const makeRoom = (
  frame: EnvelopeFrame,
  others: ReadonlyArray<EnvelopeFrame>,
  operationsMax: number,
): Room => {
  if (frame.operationCount > operationsMax) return { minimumFee: 0n }
  let excess = others.reduce((sum, other) => sum + other.operationCount, frame.operationCount) - operationsMax
  const evict: Array<EnvelopeFrame> = []
  if (excess <= 0) return { evict }
  for (const other of others.toSorted(compareRates)) {
    if (excess <= 0) break
    if (compareRates(other, frame) >= 0) return { minimumFee: betterFee(frame, other) }
    evict.push(other)
    excess -= other.operationCount
  }
  return { evict }
}

export const makeTransactionQueue = (): TransactionQueue => {
  const bySource = new Map<AccountKey, Waiting>()
  const feesBySource = new Map<AccountKey, bigint>()
  const bans = makeBans()
  let operationsWaiting = 0
  let lastEvicted: EnvelopeFrame | undefined

  const addFee = (source: AccountKey, delta: bigint): void => {
    const total = (feesBySource.get(source) ?? 0n) + delta
    if (total === 0n) feesBySource.delete(source)
    else feesBySource.set(source, total)
  }
  const drop = (frame: EnvelopeFrame): void => {
    if (bySource.get(frame.inner.source)?.frame !== frame) return
    bySource.delete(frame.inner.source)
    operationsWaiting -= frame.operationCount
    addFee(frame.feeSource, -frame.fee)
  }
  const banAndDrop = (frame: EnvelopeFrame): void => {
    bans.add(banHash(frame))
    drop(frame)
  }
  /** What speaks against the transaction because of the one that its source has waiting. */
  const conflict = (frame: EnvelopeFrame, old: EnvelopeFrame): Addition | undefined => {
    if (isDuplicate(old, frame)) return { status: "DUPLICATE" }
    if (frame.inner.sequence < old.inner.sequence) return refused("txBadSeq")
    if (!frame.feeBump || frame.inner.sequence !== old.inner.sequence) return { status: "TRY_AGAIN_LATER" }
    const missing = replacementFeeMissing(frame, old)
    return missing === undefined ? undefined : refused("txInsufficientFee", missing)
  }
  /** The pool's limit: who has to make room, or the answer when nobody has to. */
  const roomFor = (frame: EnvelopeFrame, old: EnvelopeFrame | undefined, operationsMax: number): Room => {
    if (lastEvicted !== undefined && compareRates(lastEvicted, frame) >= 0) {
      return { minimumFee: betterFee(frame, lastEvicted) }
    }
    const freed = old?.operationCount ?? 0
    if (operationsWaiting - freed + frame.operationCount <= operationsMax) return { evict: [] }
    const others = [...bySource.values()].map((one) => one.frame).filter((one) => one !== old)
    return makeRoom(frame, others, operationsMax)
  }
  const canPay = (frame: EnvelopeFrame, old: EnvelopeFrame | undefined, view: QueueView): boolean => {
    const account = view.state.account(frame.feeSource)
    if (account === undefined) return false
    const freed = old?.feeSource === frame.feeSource ? old.fee : 0n
    const spoken = feesBySource.get(frame.feeSource) ?? 0n
    return availableBalance(account, view.terms) - (frame.fee - freed) >= spoken
  }

  return {
    add: (frame, view) => {
      if (bans.has(banHash(frame))) return { status: "TRY_AGAIN_LATER" }
      if (frame.fee < 0n) return refused("txMalformed")
      const replaced = bySource.get(frame.inner.source)
      const old = replaced?.frame
      const conflicting = old === undefined ? undefined : conflict(frame, old)
      if (conflicting !== undefined) return conflicting
      const room = roomFor(frame, old, view.operationsPerLedgerMax * POOL_LEDGERS)
      if ("minimumFee" in room) {
        bans.add(banHash(frame))
        if (room.minimumFee === 0n) return { status: "TRY_AGAIN_LATER" }
        return refused("txInsufficientFee", room.minimumFee)
      }
      const verdict = view.validate(frame)
      if (verdict.code !== "txSuccess") return { status: "ERROR", verdict }
      // canAdd sets the code on the result of checkValid, which states the minimum fee.
      if (!canPay(frame, old, view)) return refused("txInsufficientBalance", verdict.feeCharged)
      if (old !== undefined) drop(old)
      for (const evicted of room.evict) {
        lastEvicted = evicted
        banAndDrop(evicted)
      }
      bySource.set(frame.inner.source, { frame, age: replaced?.age ?? 0 })
      operationsWaiting += frame.operationCount
      addFee(frame.feeSource, frame.fee)
      return { status: "PENDING" }
    },
    waiting: () => [...bySource.values()].map(({ frame }) => frame),
    size: () => bySource.size,
    isPending: (source) => bySource.has(source),
    ban: (frames) => {
      for (const frame of frames) banAndDrop(frame)
    },
    ledgerClosed: (applied) => {
      for (const frame of applied) {
        const waiting = bySource.get(frame.inner.source)?.frame
        if (waiting !== undefined && waiting.inner.sequence <= frame.inner.sequence) drop(waiting)
        bans.add(banHash(frame))
      }
      bans.shift()
      for (const waiting of [...bySource.values()]) {
        waiting.age++
        if (waiting.age >= PENDING_LEDGERS) banAndDrop(waiting.frame)
      }
      lastEvicted = undefined
    },
  }
}
