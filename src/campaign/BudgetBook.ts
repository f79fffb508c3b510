/**
 * The budgets and caps of some campaigns while a transaction holds their locks: which rewards they still cover. Pure;
 * `Campaigns.openBook` reads it and writes it back.
 *
 * Invariant: every promise made here is counted before the next one is decided, so that the promises of one book never
 * exceed a budget or a cap together. It would break if somebody changed the campaigns or their usage under the book:
 * their rows are locked until the transaction ends, and everybody who changes usage locks the campaign first. The
 * database's check constraints say the same again.
 */
import { Result } from "effect"
import { formatAmount } from "../kernel/Amount.ts"
import type { Owner } from "../merchant/Owner.ts"
import { type Campaign, reasonNotActive, remainingStroops } from "./Campaign.ts"
import {
  CampaignBudgetExhausted,
  CampaignNotActive,
  CampaignNotFound,
  CampaignWalletCapReached,
} from "./CampaignErrors.ts"
import { capPeriodStart } from "./CapPeriod.ts"

/** A reward that asks for its amount. */
export interface PromiseRequest {
  readonly owner: Owner
  readonly campaignId: string
  /** The account that is paid, G... */
  readonly walletAccount: string
  readonly amountStroops: bigint
  readonly at: Date
}

export interface Promised {
  /** The period whose cap it counts against; null without a cap. What ends unpaid gives it back there. */
  readonly capPeriodStart: Date | null
}

export type PromiseError =
  | CampaignNotFound
  | CampaignNotActive
  | CampaignBudgetExhausted
  | CampaignWalletCapReached

export interface LockedCampaign extends Campaign, Owner {}

/** What one account has been promised and paid by a campaign in one period. */
export interface WalletUsage {
  readonly campaignId: string
  readonly walletAccount: string
  readonly periodStart: Date
  readonly usedStroops: bigint
}

export interface BudgetBook {
  /** The campaign, if it is this owner's. */
  readonly find: (owner: Owner, campaignId: string) => LockedCampaign | undefined
  /** Promises the amount, or says why not; then nothing has changed. */
  readonly promise: (request: PromiseRequest) => Result.Result<Promised, PromiseError>
  /** What was promised here, to be added to the campaigns' reserved sums. */
  readonly promised: () => ReadonlyArray<{ readonly campaignId: string; readonly stroops: bigint }>
  /** What was promised here to wallets with a cap, to be added to what they have used. */
  readonly used: () => ReadonlyArray<WalletUsage & { readonly capStroops: bigint }>
}

const usageKey = (campaignId: string, walletAccount: string, periodStart: Date) =>
  `${campaignId} ${walletAccount} ${periodStart.getTime()}`

/** The usage row that a reward counts against; undefined when its campaign has no cap. */
export const usageOf = (campaign: Campaign, { walletAccount, at }: PromiseRequest) =>
  campaign.walletCapPeriod === null
    ? undefined
    : {
        campaignId: campaign.id,
        walletAccount,
        periodStart: capPeriodStart(campaign.walletCapPeriod, at, campaign.startsAt),
      }

const exhausted = (left: bigint) =>
  new CampaignBudgetExhausted({
    message: `The campaign has ${formatAmount(left)} left to promise, less than this reward.`,
  })

const capReached = (campaign: Campaign, left: bigint, periodStart: Date) =>
  new CampaignWalletCapReached({
    message: `This wallet can get ${formatAmount(left)} more of this campaign in the ${
      campaign.walletCapPeriod === "campaign" ? "whole campaign" : campaign.walletCapPeriod
    } that began at ${periodStart.toISOString()}, less than this reward.`,
  })

export const makeBudgetBook = (
  campaigns: ReadonlyArray<LockedCampaign>,
  usage: ReadonlyArray<WalletUsage>,
): BudgetBook => {
  const byId = new Map(campaigns.map((campaign) => [campaign.id, campaign]))
  const promisedStroops = new Map<string, bigint>()
  const before = new Map(
    usage.map((row) => [usageKey(row.campaignId, row.walletAccount, row.periodStart), row.usedStroops]),
  )
  const added = new Map<string, WalletUsage & { readonly capStroops: bigint }>()

  const find = (owner: Owner, campaignId: string) => {
    const campaign = byId.get(campaignId)
    return campaign?.merchantId === owner.merchantId && campaign.mode === owner.mode ? campaign : undefined
  }

  const promise = (request: PromiseRequest): Result.Result<Promised, PromiseError> => {
    const { amountStroops, at, campaignId, owner } = request
    const campaign = find(owner, campaignId)
    if (campaign === undefined)
      return Result.fail(new CampaignNotFound({ message: "There is no campaign with this id." }))
    const reason = reasonNotActive(campaign, at)
    if (reason !== undefined) return Result.fail(new CampaignNotActive({ message: reason }))
    const promisedHere = promisedStroops.get(campaignId) ?? 0n
    const left = remainingStroops(campaign) - promisedHere
    if (amountStroops > left) return Result.fail(exhausted(left))
    const counted = usageOf(campaign, request)
    if (counted !== undefined) {
      const key = usageKey(campaignId, counted.walletAccount, counted.periodStart)
      const usedHere = added.get(key)?.usedStroops ?? 0n
      const capStroops = campaign.walletCapStroops ?? 0n
      const capLeft = capStroops - (before.get(key) ?? 0n) - usedHere
      if (amountStroops > capLeft) return Result.fail(capReached(campaign, capLeft, counted.periodStart))
      added.set(key, { ...counted, usedStroops: usedHere + amountStroops, capStroops })
    }
    promisedStroops.set(campaignId, promisedHere + amountStroops)
    return Result.succeed({ capPeriodStart: counted?.periodStart ?? null })
  }

  return {
    find,
    promise,
    promised: () => [...promisedStroops].map(([campaignId, stroops]) => ({ campaignId, stroops })),
    used: () => [...added.values()],
  }
}
