/** A validated request to issue one reward, and the hash that tells a repeated request from another one. */
import { Context } from "effect"
import { formatAmount } from "../kernel/Amount.ts"
import { sha256 } from "../kernel/Sha256.ts"
import type { Mode } from "../merchant/ApiKey.ts"

export interface IssueRequest {
  readonly idempotencyKey: string
  readonly walletAddress: string
  readonly amountStroops: bigint
  readonly campaignId: string
  /** The merchant's own name for its user. */
  readonly userId?: string | undefined
}

/**
 * SHA-256 of the request's fields as JSON, keys in alphabetical order, the amount with seven places: "25" and
 * "25.0" are the same request. The key itself is no part of it.
 */
export const requestHash = (request: IssueRequest): Uint8Array =>
  sha256(
    JSON.stringify({
      amount: formatAmount(request.amountStroops),
      campaignId: request.campaignId,
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
