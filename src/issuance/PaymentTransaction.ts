/**
 * The transaction that pays one batch: source and sequence of a channel, one operation for each issuance from the
 * distribution account, bounded in ledgers and in time. Pure.
 *
 * A reward is a payment, or a claimable balance (CAP-23) that its recipient may take at any time and we ourselves
 * after the reclaim time.
 */
import { Account, Asset, Claimant, Memo, Operation, TransactionBuilder, type xdr } from "@stellar/stellar-sdk"
import { formatAmount } from "../kernel/Amount.ts"
import { batchMemo } from "./BatchMemo.ts"
import type { BatchPayment } from "./BatchPayment.ts"

/** Operations that one transaction holds at most (stellar-core: MAX_OPS_PER_TX). */
export const OPERATIONS_MAX = 100

export interface PaymentTransaction {
  readonly networkPassphrase: string
  readonly assetCode: string
  readonly assetIssuer: string
  readonly distributionAddress: string
  readonly channelAddress: string
  /** The sequence that the transaction consumes. */
  readonly sequence: bigint
  readonly payments: ReadonlyArray<BatchPayment>
  /** Bid for each operation, in stroops. */
  readonly feeStroops: number
  /** Exclusive: the transaction cannot apply in this ledger or later. */
  readonly ledgerMax: number
  /** Unix seconds now: reclaim times count from here. */
  readonly nowSeconds: number
  /** Unix seconds after which it cannot apply; the second bound beside the ledgers. */
  readonly timeMax: number
}

/** Unsigned TransactionEnvelope, base64 XDR. */
export const buildPaymentTransaction = (plan: PaymentTransaction): string => {
  const asset = new Asset(plan.assetCode, plan.assetIssuer)
  const builder = new TransactionBuilder(new Account(plan.channelAddress, (plan.sequence - 1n).toString()), {
    fee: String(plan.feeStroops),
    networkPassphrase: plan.networkPassphrase,
    memo: Memo.hash(batchMemo(plan.payments)),
    timebounds: { minTime: 0, maxTime: plan.timeMax },
    ledgerbounds: { minLedger: 0, maxLedger: plan.ledgerMax },
  })
  for (const payment of plan.payments) builder.addOperation(toOperation(plan, payment, asset))
  return builder.build().toXDR()
}

const toOperation = (plan: PaymentTransaction, payment: BatchPayment, asset: Asset) => {
  const source = plan.distributionAddress
  const amount = formatAmount(payment.amountStroops)
  if (payment.payout === "payment") {
    return Operation.payment({ source, destination: payment.walletAddress, asset, amount })
  }
  const reclaimAt = String(plan.nowSeconds + payment.reclaimAfterSeconds)
  const claimants = [
    new Claimant(payment.walletAddress, Claimant.predicateUnconditional()),
    new Claimant(source, Claimant.predicateNot(Claimant.predicateBeforeAbsoluteTime(reclaimAt))),
  ]
  return Operation.createClaimableBalance({ source, asset, amount, claimants })
}

/** When we may take a balance back, by our own claimant's predicate: "not before t", as `toOperation` writes it. */
export const reclaimTimeOf = (predicate: xdr.ClaimPredicate): Date | undefined => {
  const before = predicate.type === "claimPredicateNot" ? predicate.notPredicate : undefined
  return before?.type === "claimPredicateBeforeAbsoluteTime"
    ? new Date(Number(before.absBefore) * 1000)
    : undefined
}
