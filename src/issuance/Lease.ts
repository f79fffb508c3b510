/** A channel that this worker holds. */
export interface Lease {
  readonly channelId: number
  readonly address: string
  readonly owner: string
  readonly token: bigint
  readonly status: ChannelStatus
  /** Beyond this worker's share: nothing new is bound to it, so that it can be given back once it is idle. */
  readonly isSpare: boolean
}

/**
 * open: in use. quarantined: the network refuses its transactions; nothing new is bound to it, and what is bound is
 * released once it has provably expired. halted: what happened on the ledger is not understood; nothing is released
 * until it is.
 */
export type ChannelStatus = "open" | "quarantined" | "halted"
