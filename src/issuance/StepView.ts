import type { ChargedFees } from "./FeeBid.ts"
import type { ChannelView } from "./Verdict.ts"

/** What one step knows of the ledger: one answer of RPC, and what fees have lately been. */
export interface StepView extends ChannelView {
  /** XLM that the channel can spend on fees, stroops. */
  readonly availableStroops: bigint
  /** What the distribution account holds of the asset, stroops. */
  readonly treasuryStroops: bigint
  /** XLM of the distribution account above its minimum balance, stroops. */
  readonly reserveStroops: bigint
  readonly charged: ChargedFees
  /** Operations that a ledger holds. */
  readonly operationsMax: number
}
