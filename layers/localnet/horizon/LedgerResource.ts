import type { ClosedLedger } from "../Network.ts"
import { envelopeView } from "./EnvelopeView.ts"
import { amountText, type Links, timeText } from "./Render.ts"
import { toid } from "./Toid.ts"

const ZERO_HASH = "0".repeat(64)

/** Horizon's ledger resource (resourceadapter.PopulateLedger). */
export const ledgerResource = (links: Links, ledger: ClosedLedger) => {
  const self = `/ledgers/${ledger.sequence}`
  const header = ledger.header
  const operationsInSet = ledger.transactions.reduce(
    (sum, transaction) => sum + envelopeView(transaction.envelope).operations.length,
    0,
  )
  return {
    _links: {
      self: links.link(self),
      transactions: links.paged(`${self}/transactions`),
      operations: links.paged(`${self}/operations`),
      payments: links.paged(`${self}/payments`),
      effects: links.paged(`${self}/effects`),
    },
    id: ledger.hash,
    paging_token: toid(ledger.sequence).toString(),
    hash: ledger.hash,
    ...(ledger.previousHash === ZERO_HASH ? {} : { prev_hash: ledger.previousHash }),
    sequence: ledger.sequence,
    successful_transaction_count: ledger.successfulTransactions,
    failed_transaction_count: ledger.failedTransactions,
    operation_count: ledger.operations,
    tx_set_operation_count: operationsInSet,
    closed_at: timeText(ledger.closeTime),
    total_coins: amountText(header.totalCoins),
    fee_pool: amountText(header.feePool),
    base_fee_in_stroops: header.baseFee,
    base_reserve_in_stroops: header.baseReserve,
    max_tx_set_size: header.maxTxSetSize,
    protocol_version: header.ledgerVersion,
    header_xdr: ledger.headerXdr,
  }
}
