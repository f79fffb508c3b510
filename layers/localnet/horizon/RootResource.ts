import type { Network } from "../Network.ts"
import { feeDistribution } from "../rpc/FeeDistribution.ts"
import { recentTransactions } from "../rpc/FeeStats.ts"
import { envelopeView } from "./EnvelopeView.ts"
import { type Links, timeText } from "./Render.ts"

const linkFields = (links: Links) => ({
  account: links.template("/accounts/{account_id}"),
  accounts: links.template("/accounts{?signer,sponsor,asset,liquidity_pool,cursor,limit,order}"),
  account_transactions: links.template("/accounts/{account_id}/transactions{?cursor,limit,order}"),
  fee_stats: links.link("/fee_stats"),
  friendbot: links.template("/friendbot{?addr}"),
  ledger: links.template("/ledgers/{sequence}"),
  ledgers: links.paged("/ledgers"),
  operation: links.template("/operations/{id}"),
  operations: links.template("/operations{?cursor,limit,order,include_failed}"),
  payments: links.template("/payments{?cursor,limit,order,include_failed}"),
  self: links.link("/"),
  transaction: links.template("/transactions/{hash}"),
  transactions: links.paged("/transactions"),
})

/** `/`: links to what this network serves, and where it stands. The versions say that it is no Horizon. */
export const rootResource = (network: Network, links: Links) => {
  const latest = network.latest()
  const { passphrase, protocolVersion } = network.settings
  return {
    _links: linkFields(links),
    horizon_version: "nova-localnet",
    core_version: "nova-localnet (no stellar-core)",
    ingest_latest_ledger: latest.sequence,
    history_latest_ledger: latest.sequence,
    history_latest_ledger_closed_at: timeText(latest.closeTime),
    history_elder_ledger: network.oldestLedger(),
    core_latest_ledger: latest.sequence,
    network_passphrase: passphrase,
    current_protocol_version: latest.header.ledgerVersion,
    supported_protocol_version: protocolVersion,
    core_supported_protocol_version: protocolVersion,
  }
}

/** Ledgers that Horizon's fee statistics look at (operationfeestats: the last five). */
const FEE_WINDOW_LEDGERS = 5

/** Share of the capacity used, rounded up to hundredths. */
const capacityUsage = (network: Network): string => {
  const latest = network.latest().sequence
  let used = 0
  let capacity = 0
  for (let sequence = latest - FEE_WINDOW_LEDGERS + 1; sequence <= latest; sequence++) {
    const ledger = network.ledger(sequence)
    if (ledger === undefined) continue
    capacity += ledger.header.maxTxSetSize
    for (const { envelope } of ledger.transactions) used += envelopeView(envelope).operations.length
  }
  return capacity === 0 ? "0" : String(Math.ceil((used / capacity) * 100) / 100)
}

/** `/fee_stats`: stroops per operation; the base fee throughout where nothing was paid lately. */
export const feeStatsResource = (network: Network) => {
  const latest = network.latest()
  const baseFee = BigInt(latest.header.baseFee)
  const bids = recentTransactions(network, FEE_WINDOW_LEDGERS).map((transaction) => {
    const { feeOperations, maxFeeStroops } = envelopeView(transaction.envelope)
    const operations = BigInt(feeOperations)
    return { charged: transaction.feeChargedStroops / operations, max: maxFeeStroops / operations }
  })
  return {
    last_ledger: String(latest.sequence),
    last_ledger_base_fee: String(baseFee),
    ledger_capacity_usage: capacityUsage(network),
    fee_charged: feeDistribution(
      bids.map(({ charged }) => charged),
      baseFee,
    ),
    max_fee: feeDistribution(
      bids.map(({ max }) => max),
      baseFee,
    ),
  }
}
