/** A validated request to issue one reward, and the hash that tells a repeated request from another one. */
import { Context, Schema } from "effect"
import { formatAmount } from "../kernel/Amount.ts"
import { sha256 } from "../kernel/Sha256.ts"
import type { Mode } from "../merchant/ApiKey.ts"

/** Among the rewards of one merchant, which are paid first. */
export const Priority = Schema.Literals(["high", "normal", "low"])
export type Priority = typeof Priority.Type

/** As stored: higher numbers first. */
export const priorityNumber: Record<Priority, number> = { high: 1, normal: 0, low: -1 }

export interface IssueRequest {
  readonly idempotencyKey: string
  readonly walletAddress: string
  readonly amountStroops: bigint
  readonly campaignId: string
  /** The merchant's own name for its user. */
  readonly userId?: string | undefined
  /** As the merchant asked for it. */
  readonly priority?: Priority | undefined
}

/**
 * SHA-256 of the request's fields as JSON, keys in alphabetical order, the amount with seven places: "25" and
 * "25.0" are the same request. The key itself is no part of it, and neither is a priority that nobody asked for: the
 * routes differ in what they take instead, and a key means the same reward at each of them.
 */
export const requestHash = (request: IssueRequest): Uint8Array =>
  sha256(
    JSON.stringify({
      amount: formatAmount(request.amountStroops),
      campaignId: request.campaignId,
      priority: request.priority,
      userId: request.userId ?? null,
      walletAddress: request.walletAddress,
    }),
  )

/**
 * Accounts that no reward goes to: paying the asset's issuer burns the amount, and the distribution account
 * paying itself moves nothing. Empty unless the program provides it.
 */
export const UnpayableWallets = Context.Reference<ReadonlySet<string>>("nova/issuance/UnpayableWallets", {
  defaultValue: () => new Set(),
})

/** The modes whose rewards are paid on this server's network. Both unless the program says otherwise. */
export const PaidModes = Context.Reference<ReadonlySet<Mode>>("nova/issuance/PaidModes", {
  defaultValue: () => new Set<Mode>(["live", "test"]),
})
