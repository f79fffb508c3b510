import { xdr } from "@stellar/stellar-sdk"
import type { AppliedTransaction, ClosedLedger } from "../Network.ts"

export const headerHistoryEntry = (ledger: ClosedLedger): xdr.LedgerHeaderHistoryEntry =>
  new xdr.LedgerHeaderHistoryEntry({
    hash: Buffer.from(ledger.hash, "hex"),
    header: ledger.header,
    ext: xdr.LedgerHeaderHistoryEntryExt.v0(),
  })

const resultMeta = (transaction: AppliedTransaction): xdr.TransactionResultMetaV1 =>
  new xdr.TransactionResultMetaV1({
    ext: xdr.ExtensionPoint.v0(),
    result: new xdr.TransactionResultPair({
      transactionHash: Buffer.from(transaction.hash, "hex"),
      result: transaction.result,
    }),
    // An OperationMeta is nothing but LedgerEntryChanges: the same bytes.
    feeProcessing: xdr.OperationMeta.fromXdr(transaction.feeMetaXdr, "base64").changes,
    txApplyProcessing: xdr.TransactionMeta.fromXdr(transaction.resultMetaXdr, "base64"),
    postTxApplyFeeProcessing: [],
  })

/**
 * The transaction set as it was agreed on: both phases of protocol 23, the classic one with its single
 * component sorted by transaction hash, the Soroban one empty.
 */
const transactionSet = (ledger: ClosedLedger): xdr.GeneralizedTransactionSet => {
  const byHash = [...ledger.transactions].sort((a, b) => (a.hash < b.hash ? -1 : 1))
  const component = xdr.TxSetComponent.txsetCompTxsMaybeDiscountedFee(
    new xdr.TxSetComponentTxsMaybeDiscountedFee({
      baseFee: BigInt(ledger.header.baseFee),
      txs: byHash.map((transaction) => transaction.envelope),
    }),
  )
  return xdr.GeneralizedTransactionSet.v1TxSet(
    new xdr.TransactionSetV1({
      previousLedgerHash: Buffer.from(ledger.previousHash, "hex"),
      phases: [
        xdr.TransactionPhase.v0Components(byHash.length > 0 ? [component] : []),
        xdr.TransactionPhase.parallelTxsComponent(
          new xdr.ParallelTxsComponent({ baseFee: null, executionStages: [] }),
        ),
      ],
    }),
  )
}

const build = (ledger: ClosedLedger): string =>
  xdr.LedgerCloseMeta.v2(
    new xdr.LedgerCloseMetaV2({
      ext: xdr.LedgerCloseMetaExt.v0(),
      ledgerHeader: headerHistoryEntry(ledger),
      txSet: transactionSet(ledger),
      txProcessing: ledger.transactions.map(resultMeta),
      upgradesProcessing: [],
      scpInfo: [],
      totalByteSizeOfLiveSorobanState: 0n,
      evictedKeys: [],
    }),
  ).toXdr("base64")

const built = new WeakMap<ClosedLedger, string>()

/**
 * LedgerCloseMeta (version 2, protocol 23 and later) of a closed ledger, base64: header, transaction set,
 * results and meta in application order. No SCP messages (there is no consensus here), no Soroban state.
 */
export const ledgerCloseMetaXdr = (ledger: ClosedLedger): string => {
  const known = built.get(ledger)
  if (known !== undefined) return known
  const meta = build(ledger)
  built.set(ledger, meta)
  return meta
}
