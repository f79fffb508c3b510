/** Issuances as answers of the API show them. */
import { formatAmount } from "../kernel/Amount.ts"
import type { IssuanceEvent, IssuanceView } from "./IssuanceView.ts"
import type { Priority } from "./IssueRequest.ts"

const priorityName = (priority: number): Priority => (priority > 0 ? "high" : priority < 0 ? "low" : "normal")

const balanceOf = ({ balanceId, balanceStatus, reclaimAfter }: IssuanceView) =>
  balanceId === null || reclaimAfter === null || balanceStatus === null
    ? null
    : { balanceId, reclaimAfter, status: balanceStatus }

export const issuanceJson = (issuance: IssuanceView) => ({
  id: issuance.id,
  status: issuance.status,
  reason: issuance.reason,
  amount: formatAmount(issuance.amountStroops),
  walletAddress: issuance.walletAddress,
  campaignId: issuance.campaignId,
  userId: issuance.userId,
  idempotencyKey: issuance.idempotencyKey,
  priority: priorityName(issuance.priority),
  payout: issuance.payout,
  claimableBalance: balanceOf(issuance),
  createdAt: issuance.createdAt,
  updatedAt: issuance.updatedAt,
  confirmedAt: issuance.confirmedAt,
  txHash: issuance.txHash,
  ledger: issuance.ledger === null ? null : Number(issuance.ledger),
  operationIndex: issuance.operationIndex,
})

/** The same with its history. */
export const timelineJson = (found: {
  readonly issuance: IssuanceView
  readonly timeline: ReadonlyArray<IssuanceEvent>
}) => ({ ...issuanceJson(found.issuance), timeline: found.timeline })
