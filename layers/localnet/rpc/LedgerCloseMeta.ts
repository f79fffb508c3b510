import { createHash } from "node:crypto"
import { xdr } from "@stellar/stellar-sdk"
import { envelopeView } from "../horizon/EnvelopeView.ts"
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

const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** By SHA-256 of the whole envelope, signatures included (core's getFullHash). */
const inSetOrder = (transactions: ReadonlyArray<AppliedTransaction>): ReadonlyArray<AppliedTransaction> =>
  transactions
    .map((transaction) => ({
      transaction,
      rank: sha256Hex(Buffer.from(transaction.envelopeXdr, "base64")),
    }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ transaction }) => transaction)

/** What the set charges for an operation: everyone in it pays the same, the base fee unless it was full. */
const setBaseFee = (transaction: AppliedTransaction): bigint =>
  transaction.feeChargedStroops / BigInt(envelopeView(transaction.envelope).feeOperations)

/**
 * The transaction set as it was agreed on, so that its hash is the one in the header: both phases of
 * protocol 23, the classic one with its single component, the Soroban one empty.
 */
export const transactionSet = (ledger: ClosedLedger): xdr.GeneralizedTransactionSet => {
  const ordered = inSetOrder(ledger.transactions)
  const [first] = ordered
  const components =
    first === undefined
      ? []
      : [
          xdr.TxSetComponent.txsetCompTxsMaybeDiscountedFee(
            new xdr.TxSetComponentTxsMaybeDiscountedFee({
              baseFee: setBaseFee(first),
              txs: ordered.map((transaction) => transaction.envelope),
            }),
          ),
        ]
  return xdr.GeneralizedTransactionSet.v1TxSet(
    new xdr.TransactionSetV1({
      previousLedgerHash: Buffer.from(ledger.previousHash, "hex"),
      phases: [
        xdr.TransactionPhase.v0Components(components),
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

/** The one built last: pollers ask for the latest ledger again and again, and history is long. */
let built: { readonly ledger: ClosedLedger; readonly metaXdr: string } | undefined

/**
 * LedgerCloseMeta (version 2, protocol 23 and later) of a closed ledger, base64: header, transaction set,
 * results and meta in application order. No SCP messages (there is no consensus here), no Soroban state.
 */
export const ledgerCloseMetaXdr = (ledger: ClosedLedger): string => {
  if (built?.ledger !== ledger) built = { ledger, metaXdr: build(ledger) }
  return built.metaXdr
}
