/**
 * Closed ledgers and their transactions, as long as they are retained. Readers get views whose XDR is built on
 * first use: most transactions' meta is never asked for.
 */
import { xdr } from "@stellar/stellar-sdk"
import type { AppliedTransaction, ClosedLedger } from "../Network.ts"
import type { IncludedTransaction, LedgerClose } from "./CloseLedger.ts"
import { addressOf, base64Of, hexOf, keyOfAddress } from "./Codec.ts"
import type { AccountKey } from "./Entries.ts"
import type { SealedHeader } from "./Header.ts"
import { feeMetaBase64, metaBase64 } from "./Meta.ts"
import { participantsOf } from "./Participants.ts"

/** What is kept of a transaction: either as it was applied, or as bytes read from a ledger file. */
export interface KeptTransaction {
  readonly view: AppliedTransaction
  readonly participants: ReadonlyArray<AccountKey>
}

interface KeptLedger {
  readonly sequence: number
  readonly closeTime: number
  readonly hash: string
  readonly header: Uint8Array
  readonly transactions: ReadonlyArray<KeptTransaction>
}

const lazily = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const viewOf = (
  included: IncludedTransaction,
  participants: ReadonlyArray<AccountKey>,
  place: { readonly ledger: number; readonly applicationOrder: number; readonly closeTime: number },
): AppliedTransaction => {
  const { frame, verdict, result, resultBytes, feeChanges, changes } = included
  const envelopeXdr = lazily(() => base64Of(frame.bytes))
  const resultXdr = lazily(() => base64Of(resultBytes))
  const resultMetaXdr = lazily(() => metaBase64(changes))
  const feeMetaXdr = lazily(() => feeMetaBase64(feeChanges))
  const addresses = lazily(() => participants.map(addressOf))
  return {
    hash: frame.hash,
    ...(frame.feeBump ? { innerHash: frame.inner.hash } : {}),
    ...place,
    successful: verdict.code === "txSuccess",
    feeChargedStroops: verdict.feeCharged,
    envelope: frame.envelope,
    result,
    get envelopeXdr() {
      return envelopeXdr()
    },
    get resultXdr() {
      return resultXdr()
    },
    get resultMetaXdr() {
      return resultMetaXdr()
    },
    get feeMetaXdr() {
      return feeMetaXdr()
    },
    get participants() {
      return addresses()
    },
  }
}

const operationsOf = (transaction: AppliedTransaction): number => {
  const { envelope } = transaction
  switch (envelope.type) {
    case "envelopeTypeTx":
      return envelope.v1.tx.operations.length
    case "envelopeTypeTxV0":
      return envelope.v0.tx.operations.length
    case "envelopeTypeTxFeeBump":
      return envelope.feeBump.tx.innerTx.v1.tx.operations.length
  }
}

const ledgerView = (kept: KeptLedger): ClosedLedger => {
  const transactions = kept.transactions.map(({ view }) => view)
  const successful = transactions.filter((transaction) => transaction.successful)
  const header = lazily(() => xdr.LedgerHeader.fromXdr(kept.header))
  const headerXdr = lazily(() => base64Of(kept.header))
  return {
    sequence: kept.sequence,
    hash: kept.hash,
    // LedgerHeader starts with its version (4 bytes) and then the previous ledger's hash.
    previousHash: hexOf(kept.header.subarray(4, 36)),
    closeTime: kept.closeTime,
    transactions,
    successfulTransactions: successful.length,
    failedTransactions: transactions.length - successful.length,
    operations: successful.reduce((sum, transaction) => sum + operationsOf(transaction), 0),
    get header() {
      return header()
    },
    get headerXdr() {
      return headerXdr()
    },
  }
}

export interface History {
  readonly add: (close: LedgerClose) => ClosedLedger
  /** Adds a ledger read back from a ledger file. */
  readonly restore: (header: SealedHeader, transactions: ReadonlyArray<KeptTransaction>) => void
  readonly latest: () => ClosedLedger
  readonly oldest: () => number
  readonly ledger: (sequence: number) => ClosedLedger | undefined
  readonly transaction: (hash: string) => AppliedTransaction | undefined
  readonly transactionsOf: (address: string) => ReadonlyArray<AppliedTransaction>
  readonly kept: () => ReadonlyArray<KeptLedger>
}

/** Transactions by account, oldest first; dropping the oldest ledger drops them from the front. */
interface AccountIndex {
  readonly add: (transaction: KeptTransaction) => void
  readonly drop: (transaction: KeptTransaction) => void
  readonly of: (account: AccountKey) => ReadonlyArray<AppliedTransaction>
}

const makeAccountIndex = (): AccountIndex => {
  const byAccount = new Map<AccountKey, { items: Array<AppliedTransaction>; dropped: number }>()
  return {
    add: ({ view, participants }) => {
      for (const account of participants) {
        const list = byAccount.get(account)
        if (list === undefined) byAccount.set(account, { items: [view], dropped: 0 })
        else list.items.push(view)
      }
    },
    drop: ({ participants }) => {
      for (const account of participants) {
        const list = byAccount.get(account)
        if (list === undefined) continue
        list.dropped++
        if (list.dropped === list.items.length) byAccount.delete(account)
        else if (list.dropped >= 64 && list.dropped * 2 >= list.items.length) {
          list.items = list.items.slice(list.dropped)
          list.dropped = 0
        }
      }
    },
    of: (account) => {
      const list = byAccount.get(account)
      return list === undefined ? [] : list.items.slice(list.dropped)
    },
  }
}

export const makeHistory = (retentionLedgers: number): History => {
  const ledgers = new Map<number, KeptLedger>()
  const byHash = new Map<string, AppliedTransaction>()
  const byAccount = makeAccountIndex()
  let oldest = 0
  let latest: ClosedLedger | undefined

  const drop = (ledger: KeptLedger): void => {
    for (const transaction of ledger.transactions) {
      byHash.delete(transaction.view.hash)
      if (transaction.view.innerHash !== undefined) byHash.delete(transaction.view.innerHash)
      byAccount.drop(transaction)
    }
    ledgers.delete(ledger.sequence)
  }
  const keep = (ledger: KeptLedger): void => {
    if (ledgers.size === 0) oldest = ledger.sequence
    ledgers.set(ledger.sequence, ledger)
    for (const transaction of ledger.transactions) {
      byHash.set(transaction.view.hash, transaction.view)
      if (transaction.view.innerHash !== undefined) byHash.set(transaction.view.innerHash, transaction.view)
      byAccount.add(transaction)
    }
    while (ledgers.size > retentionLedgers) {
      const first = ledgers.get(oldest)
      if (first !== undefined) drop(first)
      oldest++
    }
  }
  const keepSealed = (header: SealedHeader, transactions: ReadonlyArray<KeptTransaction>): ClosedLedger => {
    const kept = {
      sequence: header.header.ledgerSeq,
      closeTime: Number(header.header.scpValue.closeTime),
      hash: header.hashHex,
      header: header.bytes,
      transactions,
    }
    keep(kept)
    latest = ledgerView(kept)
    return latest
  }

  return {
    add: ({ header, included }) => {
      const ledger = header.header.ledgerSeq
      const closeTime = Number(header.header.scpValue.closeTime)
      const transactions = included.map((one, index): KeptTransaction => {
        const participants = [...participantsOf(one.frame, one.changes, one.feeChanges)]
        return {
          participants,
          view: viewOf(one, participants, { ledger, applicationOrder: index + 1, closeTime }),
        }
      })
      return keepSealed(header, transactions)
    },
    restore: (header, transactions) => {
      keepSealed(header, transactions)
    },
    latest: () => {
      if (latest === undefined) throw new Error("no ledger has closed yet")
      return latest
    },
    oldest: () => oldest,
    ledger: (sequence) => {
      if (latest?.sequence === sequence) return latest
      const kept = ledgers.get(sequence)
      return kept === undefined ? undefined : ledgerView(kept)
    },
    transaction: (hash) => byHash.get(hash),
    transactionsOf: (address) => byAccount.of(keyOfAddress(address)),
    kept: () => [...ledgers.values()],
  }
}
