/**
 * XLM for the channels, which pay their own fees: those that run short get some from the distribution account.
 *
 * Invariant: what a channel gets is decided on the answer that the transaction's sequence comes from (UpkeepSteps),
 * so no channel is topped up twice for one shortage.
 */
import { Asset, Operation } from "@stellar/stellar-sdk"
import { Effect, Metric } from "effect"
import { formatAmount, STROOPS_PER_UNIT } from "../kernel/Amount.ts"
import { distributionKey, Signer } from "../ports/Signer.ts"
import { type ChannelRow, Channels } from "./Channels.ts"
import { IssuanceSettings } from "./IssuanceSettings.ts"
import { type AccountsView, readTreasury } from "./LedgerAccounts.ts"
import { sayNowAndThen } from "./SayNowAndThen.ts"
import { UpkeepSettings } from "./UpkeepSettings.ts"
import { submitUpkeep, UPKEEP_OPERATIONS_MAX } from "./UpkeepSteps.ts"
import { isUpkeepPaused } from "./UpkeepTransactions.ts"
import { allPromises, leftForUpkeep } from "./XlmPromises.ts"

/** XLM that leaves in one transaction at most, in stroops: a signer's rule says the same. */
export const LUMENS_STROOPS_MAX = 1_000n * STROOPS_PER_UNIT

const channelsPoor = Metric.gauge("issuance.channels_balance_low", {
  description: "Channels that can spend less XLM than CHANNEL_TOP_UP_BELOW",
})
const unaffordable = Metric.gauge("issuance.top_up_missing_xlm", {
  description: "XLM that the distribution account lacks for topping up its channels; 0 while it suffices",
})

export interface TopUp {
  readonly channelId: number
  readonly address: string
  readonly stroops: bigint
}

/** The poorest first, as many as one transaction takes and `budgetStroops` pays. Pure. */
export const planTopUps = (
  rows: ReadonlyArray<Pick<ChannelRow, "id" | "address">>,
  view: Pick<AccountsView, "accounts">,
  bounds: { readonly belowStroops: bigint; readonly toStroops: bigint; readonly budgetStroops: bigint },
): { readonly poor: number; readonly chosen: ReadonlyArray<TopUp>; readonly missingStroops: bigint } => {
  const poor = rows
    .flatMap(({ address, id }) => {
      const account = view.accounts.get(address)
      return account === undefined || account.availableStroops >= bounds.belowStroops
        ? []
        : [{ channelId: id, address, stroops: bounds.toStroops - account.availableStroops }]
    })
    .toSorted((a, b) =>
      a.stroops === b.stroops ? a.channelId - b.channelId : a.stroops > b.stroops ? -1 : 1,
    )
  const chosen: Array<TopUp> = []
  let left = bounds.budgetStroops < LUMENS_STROOPS_MAX ? bounds.budgetStroops : LUMENS_STROOPS_MAX
  for (const topUp of poor) {
    if (chosen.length === UPKEEP_OPERATIONS_MAX || topUp.stroops > left) continue
    chosen.push(topUp)
    left -= topUp.stroops
  }
  const wanted = poor.reduce((sum, { stroops }) => sum + stroops, 0n)
  const missing = wanted - (bounds.budgetStroops > 0n ? bounds.budgetStroops : 0n)
  return { poor: poor.length, chosen, missingStroops: missing > 0n ? missing : 0n }
}

/**
 * Sends XLM to the channels that run short. Belongs after `advanceUpkeep` has said "free". Too little XLM in the
 * distribution account, beside what is promised to claimable balances, is said loudly, and those who can still be paid
 * are.
 *
 * @error SorobanRpcError, SignerError
 */
export const topUpChannels = Effect.fn("UpkeepTopUps.topUp")(function* () {
  const channels = yield* Channels
  const signer = yield* Signer
  const { feeStroopsMax } = yield* IssuanceSettings
  const { topUpBelowStroops, topUpToStroops } = yield* UpkeepSettings
  const rows = yield* channels.list
  const view = yield* readTreasury(rows.map(({ address }) => address))
  const distribution = view.accounts.get(signer.distributionAddress)
  if (distribution === undefined) return
  const feeStroops = BigInt(feeStroopsMax) * BigInt(Math.min(rows.length, UPKEEP_OPERATIONS_MAX))
  const { availableStroops } = distribution
  const { latestLedger } = view
  const free = leftForUpkeep({ availableStroops, latestLedger }, yield* allPromises)
  // Another one was sent, or something settled, since the ledger was asked: the next round knows more.
  if (free === undefined) return
  const { chosen, missingStroops, poor } = planTopUps(rows, view, {
    belowStroops: topUpBelowStroops,
    toStroops: topUpToStroops,
    budgetStroops: free - feeStroops,
  })
  yield* Metric.update(channelsPoor, poor)
  yield* Metric.update(unaffordable, Number(missingStroops) / Number(STROOPS_PER_UNIT))
  if (missingStroops > 0n) {
    yield* sayNowAndThen(
      "top_ups",
      Effect.logError(
        `${poor} channels run short of XLM for their fees, and the distribution account cannot pay for all of them: send it at least ${formatAmount(missingStroops)} XLM`,
      ).pipe(Effect.annotateLogs({ distribution: signer.distributionAddress })),
    )
  }
  if (chosen.length === 0 || (yield* isUpkeepPaused("top_up"))) return
  yield* submitUpkeep({
    purpose: "top_up",
    operations: chosen.map(({ address, stroops }) =>
      Operation.payment({ destination: address, asset: Asset.native(), amount: formatAmount(stroops) }),
    ),
    subjects: chosen.map(({ channelId }) => String(channelId)),
    keys: [distributionKey],
    latestLedger,
    sequence: distribution.sequence,
    availableStroops,
  })
})
