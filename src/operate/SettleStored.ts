/**
 * A batch whose stored envelope the ledger included without success: its rewards go where the worker's verdict would
 * have sent them (src/issuance/SettleVerdict.ts), by the result as Horizon keeps it, since Stellar RPC forgets it after
 * some days. Nothing is guessed: which reward each operation pays was stored with the envelope.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { boundRewards } from "../issuance/BoundRewards.ts"
import { findingsOf, toEjections } from "../issuance/PrepareBatch.ts"
import { settleFailed } from "../issuance/SettleBatch.ts"
import { readOutcome } from "../issuance/TransactionOutcome.ts"
import type { OpenRow, Place } from "./RecoveredRows.ts"

/** An envelope that was stored before it was sent. */
export interface StoredEnvelope {
  readonly hash: string
  /** In operation order. */
  readonly issuanceIds: ReadonlyArray<string>
}

/** Belongs into the caller's transaction. Answers with the rows that were bound there, as they are then. */
export const settleStored = Effect.fn("SettleStored.settle")(function* (
  { channelId, transaction }: Place,
  stored: StoredEnvelope,
) {
  const sql = yield* SqlClient.SqlClient
  const { ledger, operations, resultXdr, sequence } = transaction
  const outcome = readOutcome(resultXdr, operations, false)
  const findings = findingsOf(stored.issuanceIds, outcome._tag === "Failed" ? outcome.fates : [])
  const rewards = yield* boundRewards(channelId, sequence)
  yield* settleFailed(channelId, {
    sequence,
    hash: stored.hash,
    ledger,
    resultXdr,
    code: outcome._tag === "Failed" ? outcome.code : "unreadable",
    feeStroops: outcome._tag === "Failed" ? outcome.feeStroops : 0n,
    ejections: toEjections(rewards, findings, yield* Clock.currentTimeMillis),
  })
  return yield* sql<OpenRow>`
    SELECT id, status FROM reward_issuances WHERE id = ANY(${rewards.map((one) => one.issuanceId)}::text[])`
}, Effect.orDie)
