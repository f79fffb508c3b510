import { envelopeView } from "../horizon/EnvelopeView.ts"
import type { AppliedTransaction, Network } from "../Network.ts"
import { feeDistribution } from "./FeeDistribution.ts"

/** Windows of stellar-rpc's defaults (`classic-fee-stats-retention-window`, `soroban-...`), in ledgers. */
const CLASSIC_WINDOW_LEDGERS = 10
const SOROBAN_WINDOW_LEDGERS = 50

/**
 * As stellar-rpc divides (internal/feewindow/feewindow.go, IngestFees): by the operations inside. A fee bump pays for
 * one more, so its figure is above the rate that it was charged: twice as much for a single operation.
 */
const feePerOperation = (transaction: AppliedTransaction): bigint =>
  transaction.feeChargedStroops / BigInt(envelopeView(transaction.envelope).operations.length)

/** Transactions of the last `ledgers` closed ledgers within retention. */
export const recentTransactions = (network: Network, ledgers: number): ReadonlyArray<AppliedTransaction> => {
  const latest = network.latest().sequence
  const oldest = Math.max(network.oldestLedger(), latest - ledgers + 1)
  const found: Array<AppliedTransaction> = []
  for (let sequence = oldest; sequence <= latest; sequence++) {
    found.push(...(network.ledger(sequence)?.transactions ?? []))
  }
  return found
}

/**
 * Inclusion fees that were charged lately, in stroops per operation. Contract transactions cannot occur
 * here, so their distribution is the empty one.
 */
export const getFeeStats = (network: Network) => {
  const latestLedger = network.latest().sequence
  const span = latestLedger - network.oldestLedger() + 1
  const fees = recentTransactions(network, CLASSIC_WINDOW_LEDGERS).map(feePerOperation)
  return {
    sorobanInclusionFee: {
      ...feeDistribution([], 0n),
      transactionCount: "0",
      ledgerCount: Math.min(span, SOROBAN_WINDOW_LEDGERS),
    },
    inclusionFee: {
      ...feeDistribution(fees, 0n),
      transactionCount: String(fees.length),
      ledgerCount: Math.min(span, CLASSIC_WINDOW_LEDGERS),
    },
    latestLedger,
  }
}
