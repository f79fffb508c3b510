/** Closed ledgers and their transactions, as long as they are retained. */
import type { xdr } from "@stellar/stellar-sdk"
import type { AppliedTransaction, ClosedLedger } from "../Network.ts"
import { makeAccountIndex } from "./AccountIndex.ts"
import { emptyHeader } from "./CloseLedger.ts"
import { base64Of, hexOf, keyOfAddress } from "./Codec.ts"
import { type SealedHeader, sealedFrom, settingsIn } from "./Header.ts"
import { type KeptTransaction, lazily } from "./KeptTransaction.ts"

/**
 * A retained ledger. There is one every second, most of them empty, so an empty one keeps no header: it is
 * made again from the previous ledger's when somebody asks.
 */
export interface KeptLedger {
  readonly sequence: number
  readonly closeTime: number
  readonly hash: string
  readonly header: Uint8Array | undefined
  readonly transactions: ReadonlyArray<KeptTransaction>
}

/** Every so many ledgers a header is kept all the same, so that making one again stays quick. */
const HEADER_EVERY = 64

export interface History {
  readonly add: (header: SealedHeader, transactions: ReadonlyArray<KeptTransaction>) => ClosedLedger
  readonly latest: () => ClosedLedger
  readonly oldest: () => number
  readonly ledger: (sequence: number) => ClosedLedger | undefined
  readonly transaction: (hash: string) => AppliedTransaction | undefined
  readonly transactionsOf: (address: string) => ReadonlyArray<AppliedTransaction>
  /** What is retained from this ledger on, oldest first; the first has its header. */
  readonly keptFrom: (sequence: number) => ReadonlyArray<KeptLedger>
  /** Puts back what a ledger file held, oldest first; one that is there stays, what lies before a gap goes. */
  readonly restore: (ledger: KeptLedger) => void
}

const ledgerView = (kept: KeptLedger, sealed: () => SealedHeader): ClosedLedger => {
  const transactions = kept.transactions.map(({ view }) => view)
  const successful = transactions.filter((transaction) => transaction.successful)
  const operations = kept.transactions.reduce(
    (sum, transaction) => sum + (transaction.view.successful ? transaction.operations : 0),
    0,
  )
  return {
    sequence: kept.sequence,
    hash: kept.hash,
    closeTime: kept.closeTime,
    transactions,
    successfulTransactions: successful.length,
    failedTransactions: transactions.length - successful.length,
    operations,
    get previousHash() {
      return hexOf(sealed().header.previousLedgerHash.value)
    },
    get header() {
      return sealed().header
    },
    get headerXdr() {
      return base64Of(sealed().bytes)
    },
  }
}

const sameSettings = (one: xdr.LedgerHeader, other: xdr.LedgerHeader): boolean =>
  Bun.deepEquals(settingsIn(one), settingsIn(other))

export const makeHistory = (retentionLedgers: number): History => {
  const ledgers = new Map<number, KeptLedger>()
  const byHash = new Map<string, AppliedTransaction>()
  const byAccount = makeAccountIndex()
  let oldest = 0
  let head: SealedHeader | undefined
  let latest: ClosedLedger | undefined

  /** The header of a retained ledger, made again from the nearest one before it that was kept. */
  const sealedAt = (sequence: number): SealedHeader => {
    const kept = ledgers.get(sequence)
    if (kept === undefined) throw new Error(`ledger ${sequence} is not retained`)
    if (kept.header !== undefined) return sealedFrom(kept.header)
    const previous = sealedAt(sequence - 1)
    return emptyHeader(settingsIn(previous.header), previous, BigInt(kept.closeTime))
  }
  const dropOldest = (): void => {
    const first = ledgers.get(oldest)
    const second = ledgers.get(oldest + 1)
    if (second !== undefined && second.header === undefined) {
      ledgers.set(second.sequence, { ...second, header: sealedAt(second.sequence).bytes })
    }
    for (const transaction of first?.transactions ?? []) {
      byHash.delete(transaction.view.hash)
      if (transaction.view.innerHash !== undefined) byHash.delete(transaction.view.innerHash)
      byAccount.drop(transaction)
    }
    ledgers.delete(oldest)
    oldest++
  }
  const keep = (ledger: KeptLedger): void => {
    if (ledgers.size === 0) oldest = ledger.sequence
    ledgers.set(ledger.sequence, ledger)
    for (const transaction of ledger.transactions) {
      byHash.set(transaction.view.hash, transaction.view)
      if (transaction.view.innerHash !== undefined) byHash.set(transaction.view.innerHash, transaction.view)
      byAccount.add(transaction)
    }
    while (ledgers.size > Math.max(1, retentionLedgers)) dropOldest()
  }
  const view = (kept: KeptLedger): ClosedLedger =>
    ledgerView(
      kept,
      lazily(() => sealedAt(kept.sequence)),
    )

  return {
    add: (sealed, transactions) => {
      const { header } = sealed
      const follows = head !== undefined && sameSettings(head.header, header)
      const again = follows && transactions.length === 0 && header.ledgerSeq % HEADER_EVERY !== 0
      const kept = {
        sequence: header.ledgerSeq,
        closeTime: Number(header.scpValue.closeTime),
        hash: sealed.hashHex,
        header: again ? undefined : sealed.bytes,
        transactions,
      }
      keep(kept)
      head = sealed
      latest = ledgerView(kept, () => sealed)
      return latest
    },
    latest: () => {
      if (latest === undefined) throw new Error("no ledger has closed yet")
      return latest
    },
    oldest: () => oldest,
    ledger: (sequence) => {
      if (latest?.sequence === sequence) return latest
      const kept = ledgers.get(sequence)
      return kept === undefined ? undefined : view(kept)
    },
    transaction: (hash) => byHash.get(hash),
    transactionsOf: (address) => byAccount.of(keyOfAddress(address)),
    keptFrom: (sequence) => {
      const found: Array<KeptLedger> = []
      for (let at = Math.max(sequence, oldest); ; at++) {
        const ledger = ledgers.get(at)
        if (ledger === undefined) return found
        found.push(found.length === 0 ? { ...ledger, header: sealedAt(at).bytes } : ledger)
      }
    },
    restore: (ledger) => {
      if (latest !== undefined && ledger.sequence <= latest.sequence) return
      if (latest !== undefined && ledger.sequence !== latest.sequence + 1)
        while (ledgers.size > 0) dropOldest()
      keep(ledger)
      head = ledger.header === undefined ? undefined : sealedFrom(ledger.header)
      latest = view(ledger)
    },
  }
}
