/**
 * A batch whose stored envelope the ledger included without success: its rewards go where the worker's verdict would
 * have sent them (src/issuance/SettleVerdict.ts), by the result as Horizon keeps it, since Stellar RPC forgets it after
 * some days. Nothing is guessed: which reward each operation pays was stored with the envelope.
 */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { BoundReward } from "../issuance/BatchPayment.ts"
import { type Finding, toEjections } from "../issuance/PrepareBatch.ts"
import { settleFailed } from "../issuance/SettleBatch.ts"
import { readOutcome } from "../issuance/TransactionOutcome.ts"
import type { OpenRow, Place } from "./RecoveredRows.ts"

/** An envelope that was stored before it was sent. */
export interface StoredEnvelope {
  readonly hash: string
  /** In operation order. */
  readonly issuanceIds: ReadonlyArray<string>
}

const boundRewards = Effect.fnUntraced(function* (channelId: number, sequence: bigint) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<BoundReward>`
    SELECT r.id AS "issuanceId", r.wallet_address AS "walletAddress", r.wallet_account AS "walletAccount",
      r.amount_stroops AS "amountStroops", r.payout, c.on_missing_trustline AS policy,
      c.reclaim_after_s::int AS "reclaimAfterSeconds"
    FROM reward_issuances r JOIN campaigns c ON c.id = r.campaign_id
    WHERE r.status = 'submitted' AND r.channel_id = ${channelId} AND r.channel_sequence = ${sequence} ORDER BY r.id`
})

/** Belongs into the caller's transaction. Answers with the rows that were bound there, as they are then. */
export const settleStored = Effect.fn("SettleStored.settle")(function* (
  { channelId, transaction }: Place,
  stored: StoredEnvelope,
) {
  const sql = yield* SqlClient.SqlClient
  const { ledger, operations, resultXdr, sequence } = transaction
  const outcome = readOutcome(resultXdr, operations, false)
  const fates = outcome._tag === "Failed" ? outcome.fates : []
  const findings = new Map<string, Finding>()
  for (const [index, issuanceId] of stored.issuanceIds.entries()) {
    const fate = fates[index]
    if (fate?._tag === "Recipient") findings.set(issuanceId, { reason: fate.reason, code: fate.code })
  }
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
