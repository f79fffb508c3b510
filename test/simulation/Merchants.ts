/** The merchants of a run and their campaigns. */
import type { Owner } from "../../src/merchant/Owner.ts"

export interface Campaign {
  readonly id: string
  readonly owner: Owner
  readonly budgetStroops: bigint
  readonly onMissingTrustline: "fail" | "hold" | "claimable_balance"
  readonly walletCapStroops: bigint | null
}

const merchant = (letter: string): Owner => ({ merchantId: `mer_${letter.repeat(26)}`, mode: "test" })
export const OWNERS = [merchant("1"), merchant("2")] as const

const campaign = (
  letter: string,
  owner: Owner,
  onMissingTrustline: Campaign["onMissingTrustline"],
  budgetStroops: bigint,
  walletCapStroops: bigint | null = null,
): Campaign => ({
  id: `cmp_${letter.repeat(26)}`,
  owner,
  onMissingTrustline,
  budgetStroops,
  walletCapStroops,
})

/** One of each policy; one whose budget runs out, and one with a cap for each wallet. */
export const CAMPAIGNS = [
  campaign("1", OWNERS[0], "fail", 1_000_0000000n),
  campaign("2", OWNERS[0], "claimable_balance", 1_000_0000000n),
  campaign("3", OWNERS[1], "hold", 1_000_0000000n),
  campaign("4", OWNERS[1], "hold", 4_0000000n),
  campaign("5", OWNERS[1], "fail", 1_000_0000000n, 1_5000000n),
] as const
