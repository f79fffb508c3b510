/**
 * Port: Stellar RPC, the rail on which transactions are sent and the place where verdicts are read.
 *
 * XDR stays base64 text at this port: it moves what the node said, it does not interpret it. The one exception is a
 * ledger's header, of which two numbers are wanted and never the bytes.
 *
 * Source: https://developers.stellar.org/docs/data/apis/rpc/api-reference/methods
 */
import { Context, type Effect, type Option, Schema } from "effect"
import type { RetryVerdict } from "../kernel/Retry.ts"

/** Why a call gave no answer. The retry verdict of a *submission* is read from `submissionRetry`. */
export const SorobanRpcFailure = Schema.Literals([
  "unreachable",
  "timeout",
  "rate_limited",
  "server_error",
  "invalid_request",
  "undecodable_answer",
])

const RETRY: Record<typeof SorobanRpcFailure.Type, RetryVerdict> = {
  unreachable: "backoff",
  timeout: "backoff",
  rate_limited: "backoff",
  server_error: "backoff",
  invalid_request: "never",
  undecodable_answer: "backoff",
}

export class SorobanRpcError extends Schema.TaggedError<SorobanRpcError>()("SorobanRpcError", {
  method: Schema.String,
  reason: SorobanRpcFailure,
  message: Schema.String,
}) {
  /** A lost answer to a submission may hide an accepted transaction, so it is never simply repeated anew. */
  get retry(): RetryVerdict {
    if (this.method === "sendTransaction" && this.reason !== "invalid_request") return "unknown_outcome"
    return RETRY[this.reason]
  }
}

export interface RpcLedgerEntry {
  /** LedgerKey, base64 XDR. */
  readonly key: string
  /** LedgerEntryData, base64 XDR. */
  readonly xdr: string
  readonly lastModifiedLedger: number
}

export interface RpcSubmission {
  readonly status: "PENDING" | "DUPLICATE" | "TRY_AGAIN_LATER" | "ERROR"
  readonly hash: string
  readonly latestLedger: number
  /** TransactionResult, base64 XDR; present with ERROR. */
  readonly errorResultXdr: Option.Option<string>
}

export interface RpcTransaction {
  readonly status: "SUCCESS" | "FAILED" | "NOT_FOUND"
  readonly latestLedger: number
  readonly oldestLedger: number
  /** Present unless NOT_FOUND. */
  readonly included: Option.Option<{
    readonly ledger: number
    /** TransactionResult, base64 XDR. */
    readonly resultXdr: string
    readonly envelopeXdr: string
  }>
}

export interface RpcLedger {
  /** Of the header, hex. */
  readonly hash: string
  /**
   * Operations that a ledger takes at most: the header's maxTxSetSize, which counts operations since protocol 11
   * (CAP-5); a fee bump counts as one more than its inner transaction has (CAP-15).
   */
  readonly operationsMax: number
  /** Close time, ms since 1970; whole seconds on the ledger. */
  readonly closedAtMs: number
}

export interface RpcFeeStats {
  readonly p50Stroops: bigint
  readonly p90Stroops: bigint
  readonly maxStroops: bigint
}

export class SorobanRpc extends Context.Service<
  SorobanRpc,
  {
    readonly getHealth: Effect.Effect<
      { readonly status: string; readonly latestLedger: number; readonly oldestLedger: number },
      SorobanRpcError
    >
    readonly getNetwork: Effect.Effect<
      {
        readonly passphrase: string
        readonly protocolVersion: number
        readonly friendbotUrl: Option.Option<string>
      },
      SorobanRpcError
    >
    /** `hash` is the ledger header's hash, hex. */
    readonly getLatestLedger: Effect.Effect<
      { readonly sequence: number; readonly hash: string },
      SorobanRpcError
    >
    /** A closed ledger, or none when it is outside the node's retention. */
    readonly getLedger: (sequence: number) => Effect.Effect<Option.Option<RpcLedger>, SorobanRpcError>
    /**
     * At most 200 keys (base64 XDR) a call. Keys without an entry are absent from the answer; `latestLedger` is
     * the ledger that the answer speaks of.
     */
    readonly getLedgerEntries: (
      keys: ReadonlyArray<string>,
    ) => Effect.Effect<
      { readonly latestLedger: number; readonly entries: ReadonlyArray<RpcLedgerEntry> },
      SorobanRpcError
    >
    /** Submits a TransactionEnvelope (base64 XDR). No status is a verdict: see docs/adr/0003-at-most-once.md. */
    readonly sendTransaction: (envelopeXdr: string) => Effect.Effect<RpcSubmission, SorobanRpcError>
    /** By hash, hex. NOT_FOUND speaks only of the node's range [oldestLedger, latestLedger]. */
    readonly getTransaction: (hash: string) => Effect.Effect<RpcTransaction, SorobanRpcError>
    /**
     * What classic transactions of the last ledgers were charged for inclusion, in stroops per operation (the
     * answer's `inclusionFee`; the node's window is 10 ledgers by default). All 0 when there were none.
     */
    readonly getFeeStats: Effect.Effect<RpcFeeStats, SorobanRpcError>
  }
>()("nova/ports/SorobanRpc") {}
