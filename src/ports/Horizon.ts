/**
 * Port: Horizon, used where RPC has no answer: an account's payment history for reconciliation, friendbot on
 * test networks, and a second submission rail.
 *
 * Source: https://developers.stellar.org/docs/data/apis/horizon/api-reference
 */
import { Context, type Effect, type Option, Schema } from "effect"
import type { RetryVerdict } from "../kernel/Retry.ts"

export const HorizonFailure = Schema.Literals([
  "unreachable",
  "timeout",
  "rate_limited",
  "server_error",
  "not_found",
  "bad_request",
  "undecodable_answer",
])

const RETRY: Record<typeof HorizonFailure.Type, RetryVerdict> = {
  unreachable: "backoff",
  timeout: "backoff",
  rate_limited: "backoff",
  server_error: "backoff",
  not_found: "never",
  bad_request: "never",
  undecodable_answer: "backoff",
}

export class HorizonError extends Schema.TaggedError<HorizonError>()("HorizonError", {
  operation: Schema.String,
  reason: HorizonFailure,
  /** HTTP status, where there was an answer. */
  status: Schema.optionalKey(Schema.Number),
  message: Schema.String,
}) {
  get retry(): RetryVerdict {
    const mayHaveHappened = this.operation === "submitAsync" || this.operation === "friendbot"
    if (mayHaveHappened && this.reason !== "bad_request" && this.reason !== "not_found")
      return "unknown_outcome"
    return RETRY[this.reason]
  }
}

export interface HorizonPayment {
  /** Operation id (TOID), also the paging token. */
  readonly id: string
  readonly transactionHash: string
  readonly successful: boolean
  readonly from: string
  readonly to: string
  /** "native" or "CODE:ISSUER". */
  readonly asset: string
  readonly amountStroops: bigint
}

export interface HorizonTransaction {
  readonly pagingToken: string
  /** Hex; of a fee bump the outer one. */
  readonly hash: string
  readonly ledger: number
  readonly successful: boolean
  /** TransactionEnvelope, base64 XDR; of a fee bump the outer one. */
  readonly envelopeXdr: string
  /** TransactionResult, base64 XDR; of a fee bump the outer one. */
  readonly resultXdr: string
  /** Of a fee bump the hash of the transaction inside, hex. */
  readonly innerHash: Option.Option<string>
}

export interface HorizonPage {
  /** A pagingToken: what lies beyond it in the page's order. None begins at the end that the order begins at. */
  readonly cursor: Option.Option<string>
  /** At most so many records, 1 to 200. */
  readonly limit: number
  readonly order: "asc" | "desc"
}

export interface HorizonSubmission {
  readonly status: "PENDING" | "DUPLICATE" | "TRY_AGAIN_LATER" | "ERROR"
  readonly hash: string
  /** TransactionResult, base64 XDR; present with ERROR. */
  readonly errorResultXdr: Option.Option<string>
}

export interface HorizonBalance {
  readonly asset: string
  readonly balanceStroops: bigint
}

export class Horizon extends Context.Service<
  Horizon,
  {
    readonly root: Effect.Effect<
      { readonly networkPassphrase: string; readonly latestLedger: number },
      HorizonError
    >
    /** None when the ledger has no such account. */
    readonly account: (
      address: string,
    ) => Effect.Effect<
      Option.Option<{ readonly sequence: bigint; readonly balances: ReadonlyArray<HorizonBalance> }>,
      HorizonError
    >
    /** Payments in which the account took part, oldest first, after `cursor`; at most `limit` (1-200). */
    readonly payments: (
      address: string,
      page: { readonly cursor: Option.Option<string>; readonly limit: number },
    ) => Effect.Effect<ReadonlyArray<HorizonPayment>, HorizonError>
    /**
     * Transactions in which the account took part as source, payer of the fee or participant of an operation, failed
     * ones included: they consumed a sequence too.
     *
     * @error HorizonError not_found where no ledger of Horizon's history knows the account
     */
    readonly transactions: (
      address: string,
      page: HorizonPage,
    ) => Effect.Effect<ReadonlyArray<HorizonTransaction>, HorizonError>
    /** POST /transactions_async. No status is a verdict. */
    readonly submitAsync: (envelopeXdr: string) => Effect.Effect<HorizonSubmission, HorizonError>
    /** Asks the test network's friendbot to create and fund the account; test networks only. */
    readonly friendbot: (address: string) => Effect.Effect<void, HorizonError>
  }
>()("nova/ports/Horizon") {}
