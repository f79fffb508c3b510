/**
 * What to do about each answer to a sending. Pure, and a table. None of these is a verdict: whatever is done, the
 * batch stays at its (channel, sequence) until the ledger has shown what became of it (docs/adr/0003-at-most-once.md).
 *
 * Sources: stellar-core `TransactionQueue::tryAdd` (statuses), Stellar-transaction.x (TransactionResultCode),
 * https://developers.stellar.org/docs/data/apis/rpc/api-reference/methods/sendTransaction, CAP-15 (fee bumps)
 */
import type { xdr } from "@stellar/stellar-sdk"
import { Option } from "effect"
import type { Submitted } from "../ports/Submission.ts"
import { decodeResult, readFates, transactionCode } from "./TransactionOutcome.ts"

export type Reaction =
  /** In flight: the same bytes again once a ledger has closed without them. */
  | "wait"
  /** The queue is full, holds another one, or has banned the hash: the same bytes, then a fee bump. */
  | "wait_then_bump"
  /** The bid is too low: a fee bump with what the answer asks for, within the cap. */
  | "bump"
  /** The channel cannot pay its fee: the same bytes after it has been topped up. */
  | "top_up"
  /** The network will not have this channel's transactions: it is taken out of use. */
  | "quarantine"
  /** The operations themselves were refused before inclusion: read who is to blame. */
  | "read_operations"

interface Row {
  readonly reaction: Reaction
  /** Worth a person's attention. */
  readonly alert: boolean
}

const row = (reaction: Reaction, alert = false): Row => ({ reaction, alert })

const REACTIONS: Record<string, Row> = {
  PENDING: row("wait"),
  DUPLICATE: row("wait"),
  TRY_AGAIN_LATER: row("wait_then_bump"),
  // Ours may have consumed it, or the node lags: the ledger's account entry says which.
  "ERROR tx_bad_seq": row("wait"),
  "ERROR tx_too_late": row("wait"),
  "ERROR tx_insufficient_fee": row("bump"),
  "ERROR tx_insufficient_balance": row("top_up", true),
  "ERROR tx_bad_auth": row("quarantine", true),
  "ERROR tx_bad_auth_extra": row("quarantine", true),
  "ERROR tx_no_source_account": row("quarantine", true),
  "ERROR tx_malformed": row("quarantine", true),
  "ERROR tx_failed": row("read_operations", true),
  "no answer": row("wait"),
}

/** FILTERED, tx_internal_error, and whatever comes to be answered one day: as if there had been no answer. */
const UNKNOWN = row("wait", true)

export interface SubmissionOutcome extends Row {
  /** "PENDING", "ERROR tx_bad_seq", "no answer: timeout": for logs and for the envelope's row. */
  readonly text: string
  /** With `bump`: the fee that the network asks for the whole transaction, stroops. */
  readonly feeStroopsRequired: bigint | undefined
  /** With `read_operations`: the operations to blame, by index, with their codes. */
  readonly blamed: ReadonlyMap<number, string>
}

/** What an answer, as it was written down, asks for. */
export const readAnswer = (text: string): SubmissionOutcome => {
  const name = text.startsWith("no answer") ? "no answer" : text.split(" ").slice(0, 2).join(" ")
  const fee = / fee:(\d+)/.exec(text)?.[1]
  return {
    ...(REACTIONS[name] ?? UNKNOWN),
    text,
    feeStroopsRequired: fee === undefined ? undefined : BigInt(fee),
    blamed: new Map(
      [...text.matchAll(/ (\d+):(op_[a-z_]+)/g)].map(
        ([, index, code]) => [Number(index), code ?? ""] as const,
      ),
    ),
  }
}

/** "3:op_malformed": operation 3 is to blame. */
const refusedOperations = (result: xdr.TransactionResult): ReadonlyArray<string> =>
  readFates(result).flatMap((fate, index) => (fate._tag === "Good" ? [] : [`${index}:${fate.code}`]))

/** The answer of a node that gave one. Its text says all that `readAnswer` will want to know later. */
export const readSubmission = ({ errorResultXdr, status }: Submitted): SubmissionOutcome => {
  if (Option.isNone(errorResultXdr)) return readAnswer(status)
  const result = decodeResult(errorResultXdr.value)
  if (result === undefined) return readAnswer(`${status} undecodable`)
  const code = transactionCode(result)
  const fee = code === "tx_insufficient_fee" ? [`fee:${result.feeCharged}`] : []
  return readAnswer([status, code, ...fee, ...refusedOperations(result)].join(" "))
}

/**
 * Reasons that are the wire's everyday troubles. The others are the node's own: RPC's InternalError, or a word that
 * this port does not know, such as FILTERED.
 */
const EVERYDAY: ReadonlySet<string> = new Set(["unreachable", "timeout", "rate_limited"])

/** There was none, for this reason: as little known as ever, and worth a look unless it is an everyday one. */
export const noAnswer = (reason: string): SubmissionOutcome => ({
  ...readAnswer(`no answer: ${reason}`),
  alert: !EVERYDAY.has(reason),
})
