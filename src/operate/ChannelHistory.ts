/**
 * The transactions that consumed a channel's sequences, oldest first, page by page from Horizon.
 *
 * Invariant: no sequence is left out. They are consumed one by one, so a gap means that the history shown is not whole
 * (a Horizon that lags, or that no longer keeps it), and then nothing may be concluded from it: a payment that is not
 * seen would be paid again. How it would break: a channel that skips sequences by BumpSequence, which ours never do.
 */
import { Effect, Option, Schedule, Schema } from "effect"
import { Horizon } from "../ports/Horizon.ts"
import { type LedgerTransaction, type Payer, readLedgerTransaction } from "./LedgerTransaction.ts"

/** Horizon's history of a channel does not hold every sequence that the ledger has consumed. */
export class HistoryIncomplete extends Schema.TaggedError<HistoryIncomplete>()("HistoryIncomplete", {
  message: Schema.String,
}) {}

export interface HistorySpan {
  /** For messages. */
  readonly channelId: number
  readonly address: string
  /** Exclusive: everything up to it is settled in the database. */
  readonly sequenceAbove: bigint
  /** Inclusive: where the ledger stands. */
  readonly sequenceUpTo: bigint
  /** A ledger before which nothing of the span lies; undefined for the account's beginning. */
  readonly fromLedger: number | undefined
}

/** Transactions in one answer; an envelope of a full batch is about 15 kB of base64. */
export const PAGE = 100

/** How long somebody who is behind the ledger is waited for. */
export const LAG = Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(30)])

/** A cursor before the first transaction of a ledger: the id of ledger, transaction and operation in 64 bits (SEP-35). */
export const cursorOfLedger = (ledger: number): string => (BigInt(ledger) << 32n).toString()

const incomplete = (span: HistorySpan, sequence: bigint) =>
  new HistoryIncomplete({
    message: `Horizon does not show which transaction consumed sequence ${sequence} of channel ${span.channelId} (${span.address}), though the ledger is at ${span.sequenceUpTo}: point HORIZON_URL at one with the whole history.`,
  })

/**
 * Runs `f` on each transaction of the span, in the order of the sequences.
 *
 * @error HistoryIncomplete when a sequence is missing; HorizonError when Horizon gives no answer
 */
export const forEachTransaction = Effect.fn("ChannelHistory.forEachTransaction")(function* <A, E, R>(
  span: HistorySpan,
  payer: Payer,
  f: (transaction: LedgerTransaction) => Effect.Effect<A, E, R>,
) {
  const horizon = yield* Horizon
  let cursor = Option.fromUndefinedOr(span.fromLedger).pipe(Option.map(cursorOfLedger))
  let next = span.sequenceAbove + 1n
  while (next <= span.sequenceUpTo) {
    const page = yield* horizon.transactions(span.address, { cursor, limit: PAGE, order: "asc" }).pipe(
      Effect.filterOrFail(
        (records) => records.length > 0,
        () => incomplete(span, next),
      ),
      Effect.retry({
        schedule: LAG,
        while: (error) => error._tag === "HistoryIncomplete" || error.retry === "backoff",
      }),
    )
    for (const record of page) {
      const transaction = readLedgerTransaction(record, payer)
      if (transaction === undefined || transaction.source !== span.address) continue
      if (transaction.sequence < next || transaction.sequence > span.sequenceUpTo) continue
      if (transaction.sequence > next) return yield* incomplete(span, next)
      yield* f(transaction)
      next += 1n
    }
    cursor = Option.fromUndefinedOr(page.at(-1)?.pagingToken)
  }
})
