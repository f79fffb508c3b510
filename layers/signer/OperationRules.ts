/**
 * What an operation may do, by its type: the types that are not listed here are never signed for.
 *
 * A *reward* gives away the asset, from a channel's sequence. *Upkeep* moves none of it: channels are created and
 * topped up, claimable balances taken back, from the distribution account's own sequence.
 */
import { Asset, encodeMuxedAccountToAddress, StrKey, type xdr } from "@stellar/stellar-sdk"

/** XLM that one operation may give to a channel: 50 XLM pay 5,000,000 operations at the lowest fee. */
const CHANNEL_STROOPS_MAX = 50_0000000n

/** A claimable balance must come back to us in the end: ten years, the longest reclaim time of a campaign. */
const RECLAIM_SECONDS_MAX = 315_360_000n

export type OperationBreach = {
  readonly rule: "asset" | "destination" | "claimants" | "amount" | "lumens"
  readonly message: string
}

export interface OperationFacts {
  readonly purpose: "reward" | "upkeep"
  /** Whose account must be the operation's source. */
  readonly source: "distribution" | "channel"
  /** The asset that leaves the distribution account. */
  readonly assetStroops: bigint
  /** XLM that leaves the distribution account, but for fees and reserves. */
  readonly lumenStroops: bigint
  readonly breach: OperationBreach | undefined
}

export interface OperationContext {
  readonly asset: Asset
  readonly distributionAddress: string
  readonly isChannel: (address: string) => boolean
  /** Unix seconds. */
  readonly nowSeconds: bigint
}

const addressOf = (account: xdr.PublicKey): string => StrKey.encodeEd25519PublicKey(account.ed25519.toBytes())

const breach = (rule: OperationBreach["rule"], message: string): OperationBreach => ({ rule, message })

const checkAsset = (asset: xdr.Asset, amount: bigint, context: OperationContext) => {
  if (!Asset.fromOperation(asset).equals(context.asset))
    return breach("asset", "it pays another asset than the rewards'")
  return amount > 0n ? undefined : breach("amount", "an amount is not above zero")
}

const checkChannelFunds = (address: string, stroops: bigint, context: OperationContext) => {
  if (!context.isChannel(address))
    return breach("destination", `XLM would go to ${address}, which is no channel of NOVA_CHANNEL_SEED`)
  if (stroops > CHANNEL_STROOPS_MAX)
    return breach("lumens", `a channel would get ${stroops} stroops of XLM, above ${CHANNEL_STROOPS_MAX}`)
  return stroops >= 0n ? undefined : breach("amount", "an amount is below zero")
}

/** "Not before", within the longest reclaim time; whoever may claim at any time could take it as well. */
const isReclaim = (predicate: xdr.ClaimPredicate, nowSeconds: bigint): boolean =>
  predicate.type === "claimPredicateNot" &&
  predicate.notPredicate?.type === "claimPredicateBeforeAbsoluteTime" &&
  predicate.notPredicate.absBefore <= nowSeconds + RECLAIM_SECONDS_MAX

const checkClaimants = (claimants: ReadonlyArray<xdr.Claimant>, context: OperationContext) => {
  const [recipient, ourselves] = claimants.map(({ v0 }) => v0)
  const isOurs =
    claimants.length === 2 &&
    recipient !== undefined &&
    ourselves !== undefined &&
    recipient.predicate.type === "claimPredicateUnconditional" &&
    addressOf(ourselves.destination) === context.distributionAddress &&
    isReclaim(ourselves.predicate, context.nowSeconds)
  return isOurs
    ? undefined
    : breach("claimants", "a claimable balance must name its recipient first and us second, from a time on")
}

const reward = (assetStroops: bigint, found: OperationBreach | undefined): OperationFacts => ({
  purpose: "reward",
  source: "distribution",
  assetStroops,
  lumenStroops: 0n,
  breach: found,
})

const upkeep = (
  source: OperationFacts["source"],
  lumenStroops: bigint,
  found: OperationBreach | undefined,
): OperationFacts => ({ purpose: "upkeep", source, assetStroops: 0n, lumenStroops, breach: found })

/** What the operation does and what is wrong with it; undefined for a type that is never signed for. */
export const readOperation = (
  body: xdr.OperationBody,
  context: OperationContext,
): OperationFacts | undefined => {
  switch (body.type) {
    case "payment": {
      const { amount, asset, destination } = body.paymentOp
      if (asset.type !== "assetTypeNative") return reward(amount, checkAsset(asset, amount, context))
      const address = encodeMuxedAccountToAddress(destination)
      return upkeep("distribution", amount, checkChannelFunds(address, amount, context))
    }
    case "createClaimableBalance": {
      const { amount, asset, claimants } = body.createClaimableBalanceOp
      return reward(amount, checkAsset(asset, amount, context) ?? checkClaimants(claimants, context))
    }
    case "claimClaimableBalance":
      return upkeep("distribution", 0n, undefined)
    case "createAccount": {
      const { destination, startingBalance } = body.createAccountOp
      const found = checkChannelFunds(addressOf(destination), startingBalance, context)
      return upkeep("distribution", startingBalance, found)
    }
    case "beginSponsoringFutureReserves": {
      const found = checkChannelFunds(
        addressOf(body.beginSponsoringFutureReservesOp.sponsoredId),
        0n,
        context,
      )
      return upkeep("distribution", 0n, found)
    }
    case "endSponsoringFutureReserves":
      return upkeep("channel", 0n, undefined)
    default:
      return undefined
  }
}
