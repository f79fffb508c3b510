/**
 * `nova review`: what recovery left for a person. Each open unmatched payment was for a reward that the database lost,
 * or for one of the rows that look like it; only the merchant's records can tell.
 *
 * Invariants:
 * - A row is confirmed only by a payment of its own wallet and amount, and by one that explains no other row.
 * - A held row goes back to be paid when no open payment looks like it any more, and not before.
 * How they would break: two people who decide about the same payment at once, so its row is locked first; or about two
 * payments that look alike, so what looks like them is locked next (src/issuance/LookAlikes.ts).
 */
import { Clock, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { IssuanceStatus } from "../issuance/Issuance.ts"
import { lockLookAlikes } from "../issuance/LookAlikes.ts"
import { freeAlike, lockCampaignsAlike } from "../issuance/ReviewedRewards.ts"
import { formatAmount } from "../kernel/Amount.ts"
import { promiseAgain } from "./PromiseAgain.ts"
import { confirmRows } from "./RecoveredRows.ts"
import { bookLostReclaim } from "./RecoverReclaims.ts"

/** What was asked for cannot be done, in one sentence. */
export class ReviewRefused extends Schema.TaggedError<ReviewRefused>()("ReviewRefused", {
  code: Schema.Literals([
    "payment_not_found",
    "payment_resolved",
    "issuance_not_found",
    "not_alike",
    "not_matchable",
  ]),
  message: Schema.String,
}) {}

/** Names one payment: its transaction's hash, hex, and the operation's index from 0. */
export interface PaymentName {
  readonly txHash: string
  readonly operationIndex: number
}

export interface OpenPayment extends PaymentName {
  readonly ledger: number
  readonly walletAddress: string
  readonly walletAccount: string
  readonly amountStroops: bigint
  readonly foundAt: Date
  /** Rows that wait because they look like it. */
  readonly alike: number
}

export interface HeldRow {
  readonly issuanceId: string
  readonly merchantId: string
  readonly idempotencyKey: string
  readonly walletAddress: string
  readonly amountStroops: bigint
  readonly createdAt: Date
}

/**
 * What waits for a person, oldest first.
 *
 * @param limit how many of each at most
 */
export const listReviews = Effect.fn("Review.listReviews")(function* (limit: number) {
  const sql = yield* SqlClient.SqlClient
  const payments = yield* sql<OpenPayment>`
    SELECT u.tx_hash AS "txHash", u.operation_index AS "operationIndex", u.ledger::int AS ledger,
      u.wallet_address AS "walletAddress", u.wallet_account AS "walletAccount",
      u.amount_stroops AS "amountStroops", u.found_at AS "foundAt", (
        SELECT count(*)::int FROM reward_issuances r WHERE r.status = 'held' AND r.reason = 'under_review'
          AND r.wallet_account = u.wallet_account AND r.amount_stroops = u.amount_stroops) AS alike
    FROM unmatched_payments u WHERE u.resolved_at IS NULL
    ORDER BY u.ledger, u.tx_hash, u.operation_index LIMIT ${limit}`
  const rows = yield* sql<HeldRow>`
    SELECT id AS "issuanceId", merchant_id AS "merchantId", idempotency_key AS "idempotencyKey",
      wallet_address AS "walletAddress", amount_stroops AS "amountStroops", created_at AS "createdAt"
    FROM reward_issuances WHERE status = 'held' AND reason = 'under_review' ORDER BY id LIMIT ${limit}`
  const [total] = yield* sql<{ payments: number; rows: number }>`
    SELECT (SELECT count(*)::int FROM unmatched_payments WHERE resolved_at IS NULL) AS payments,
      (SELECT count(*)::int FROM reward_issuances WHERE status = 'held' AND reason = 'under_review') AS rows`
  return { payments, rows, total: total ?? { payments: 0, rows: 0 } }
}, Effect.orDie)

interface PaymentRow {
  readonly wallet_account: string
  readonly wallet_address: string
  readonly amount_stroops: bigint
  readonly ledger: bigint
  readonly channel_id: number
  readonly sequence: bigint
  readonly balance_id: string | null
  readonly reclaim_after: Date | null
  readonly resolution: string | null
}

const nameOf = ({ operationIndex, txHash }: PaymentName) => `${txHash}:${operationIndex}`

/** Locks an open payment for the caller's transaction. */
const openPayment = Effect.fnUntraced(function* (name: PaymentName) {
  const sql = yield* SqlClient.SqlClient
  const [payment] = yield* sql<PaymentRow>`
    SELECT * FROM unmatched_payments
    WHERE tx_hash = ${name.txHash} AND operation_index = ${name.operationIndex} FOR UPDATE`.pipe(Effect.orDie)
  if (payment === undefined) {
    return yield* new ReviewRefused({
      code: "payment_not_found",
      message: `There is no unmatched payment ${nameOf(name)}: nova review lists them.`,
    })
  }
  if (payment.resolution !== null) {
    return yield* new ReviewRefused({
      code: "payment_resolved",
      message: `${nameOf(name)} was ${payment.resolution} before.`,
    })
  }
  return payment
})

const likenessOf = (payment: PaymentRow) => ({
  walletAccount: payment.wallet_account,
  amountStroops: payment.amount_stroops,
})

const ENDED: ReadonlyArray<IssuanceStatus> = ["failed", "cancelled"]
const MATCHABLE: ReadonlyArray<IssuanceStatus> = ["pending", "held", ...ENDED]

/**
 * The row must be one that this payment could have paid, and must not be paid or on its way. Locks it, after its
 * campaign. Answers with whether it had ended.
 */
const demandAlike = Effect.fnUntraced(function* (payment: PaymentRow, issuanceId: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ status: IssuanceStatus; wallet_address: string; amount_stroops: bigint }>`
    SELECT status, wallet_address, amount_stroops FROM reward_issuances WHERE id = ${issuanceId} FOR UPDATE`.pipe(
    Effect.orDie,
  )
  if (row === undefined) {
    return yield* new ReviewRefused({
      code: "issuance_not_found",
      message: `There is no issuance ${issuanceId}.`,
    })
  }
  if (row.wallet_address !== payment.wallet_address || row.amount_stroops !== payment.amount_stroops) {
    return yield* new ReviewRefused({
      code: "not_alike",
      message: `The payment gave ${formatAmount(payment.amount_stroops)} to ${payment.wallet_address}, but ${issuanceId} is ${formatAmount(row.amount_stroops)} to ${row.wallet_address}.`,
    })
  }
  if (MATCHABLE.includes(row.status)) return ENDED.includes(row.status)
  return yield* new ReviewRefused({
    code: "not_matchable",
    message: `${issuanceId} is ${row.status}: only a reward that is held, pending, failed or cancelled can be matched.`,
  })
})

/** The row is paid by this payment; one that had ended takes its budget and its part of the cap again. */
const confirmBy = Effect.fnUntraced(function* (name: PaymentName, payment: PaymentRow, issuanceId: string) {
  const hadEnded = yield* demandAlike(payment, issuanceId)
  const balance =
    payment.balance_id === null
      ? undefined
      : { balanceId: payment.balance_id, reclaimAfter: payment.reclaim_after ?? undefined }
  const paid = {
    operationIndex: name.operationIndex,
    walletAddress: payment.wallet_address,
    walletAccount: payment.wallet_account,
    amountStroops: payment.amount_stroops,
    balance,
  }
  const again = hadEnded ? yield* promiseAgain(issuanceId) : undefined
  const raised = again?.budgetRaisedStroops ?? 0n
  yield* confirmRows(
    [{ issuanceId, payment: paid }],
    {
      hash: name.txHash,
      ledger: Number(payment.ledger),
      detail: { channel: payment.channel_id, sequence: String(payment.sequence), reviewed: true },
    },
    hadEnded ? { reviewed: true, budgetRaisedStroops: String(raised) } : undefined,
  ).pipe(Effect.orDie)
  if (balance !== undefined) yield* bookLostReclaim(issuanceId, balance.balanceId)
  if (again !== undefined && raised > 0n) {
    yield* Effect.logWarning(
      `the budget of ${again.campaignId} was promised away when ${issuanceId} ended here, but the ledger had paid it: the budget is raised by ${formatAmount(raised)}`,
    ).pipe(Effect.annotateLogs({ campaignId: again.campaignId, issuanceId, raisedStroops: String(raised) }))
  }
  return { budgetRaisedStroops: raised }
})

/**
 * Says that this payment paid this row: it is confirmed, and rows that waited for this payment only go on. Answers with
 * their ids, and with the stroops by which the campaign's budget had to grow, where the row had ended here and its
 * amount was promised to somebody else meanwhile.
 *
 * @error ReviewRefused
 */
export const matchPayment = Effect.fn("Review.matchPayment")(function* (
  name: PaymentName,
  issuanceId: string,
) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  return yield* Effect.gen(function* () {
    const payment = yield* openPayment(name)
    yield* lockLookAlikes([likenessOf(payment)]).pipe(Effect.orDie)
    yield* lockCampaignsAlike([likenessOf(payment)], issuanceId).pipe(Effect.orDie)
    const { budgetRaisedStroops } = yield* confirmBy(name, payment, issuanceId)
    yield* sql`
      UPDATE unmatched_payments SET resolved_at = ${at}, resolution = 'matched', issuance_id = ${issuanceId}
      WHERE tx_hash = ${name.txHash} AND operation_index = ${name.operationIndex}`.pipe(Effect.orDie)
    yield* Effect.logInfo(`payment ${nameOf(name)} was matched with ${issuanceId} by hand`).pipe(
      Effect.annotateLogs({ payment: nameOf(name), issuanceId }),
    )
    return { released: yield* freeAlike([likenessOf(payment)]), budgetRaisedStroops }
  }).pipe(sql.withTransaction)
})

/**
 * Says that this payment was for a reward that is lost: rows that waited for this payment only go on. Answers with their
 * ids.
 *
 * @error ReviewRefused
 */
export const dismissPayment = Effect.fn("Review.dismissPayment")(function* (name: PaymentName) {
  const sql = yield* SqlClient.SqlClient
  const at = new Date(yield* Clock.currentTimeMillis)
  return yield* Effect.gen(function* () {
    const payment = yield* openPayment(name)
    yield* lockLookAlikes([likenessOf(payment)]).pipe(Effect.orDie)
    yield* sql`
      UPDATE unmatched_payments SET resolved_at = ${at}, resolution = 'dismissed'
      WHERE tx_hash = ${name.txHash} AND operation_index = ${name.operationIndex}`.pipe(Effect.orDie)
    yield* Effect.logInfo(`payment ${nameOf(name)} was dismissed by hand`).pipe(
      Effect.annotateLogs({ payment: nameOf(name) }),
    )
    return { released: yield* freeAlike([likenessOf(payment)]) }
  }).pipe(sql.withTransaction)
})
