import type { Network } from "../Network.ts"
import { ledgerCloseMetaXdr } from "./LedgerCloseMeta.ts"
import { ledgerRange } from "./LedgerRange.ts"
import { INTERNAL_ERROR, RpcFault } from "./RpcFault.ts"

/** What an RPC server knows beside its ledgers. */
export interface RpcSurroundings {
  /** Named by getNetwork where the network has a faucet. */
  readonly friendbotUrl?: string
  /** Milliseconds since the Unix epoch. Without it getHealth cannot see that ledgers have stopped. */
  readonly now?: () => number
}

/** stellar-rpc's default `max-healthy-ledger-latency`. */
const HEALTHY_LATENCY_MAX_MS = 30_000

/**
 * @throws RpcFault -32603 where no ledger has closed for 30 seconds, as a node that lags behind answers
 */
export const getHealth = (network: Network, surroundings: RpcSurroundings) => {
  const range = ledgerRange(network)
  const latencyMs = (surroundings.now?.() ?? 0) - range.latestCloseTime * 1000
  if (latencyMs > HEALTHY_LATENCY_MAX_MS) {
    throw new RpcFault(
      INTERNAL_ERROR,
      `latency (${Math.round(latencyMs / 1000)}s) since last known ledger closed is too high (>30s)`,
    )
  }
  return {
    status: "healthy",
    latestLedger: range.latestLedger,
    latestLedgerCloseTime: String(range.latestCloseTime),
    oldestLedger: range.oldestLedger,
    oldestLedgerCloseTime: String(range.oldestCloseTime),
    ledgerRetentionWindow: network.settings.retentionLedgers,
  }
}

export const getNetwork = (network: Network, surroundings: RpcSurroundings) => ({
  ...(surroundings.friendbotUrl === undefined ? {} : { friendbotUrl: surroundings.friendbotUrl }),
  passphrase: network.settings.passphrase,
  protocolVersion: network.settings.protocolVersion,
})

export const getLatestLedger = (network: Network) => {
  const latest = network.latest()
  return {
    id: latest.hash,
    protocolVersion: latest.header.ledgerVersion,
    sequence: latest.sequence,
    closeTime: String(latest.closeTime),
    headerXdr: latest.headerXdr,
    metadataXdr: ledgerCloseMetaXdr(latest),
  }
}

/** Says what this is: no build of stellar-rpc or stellar-core runs here. */
export const getVersionInfo = (network: Network) => ({
  version: "nova-localnet",
  commitHash: "",
  buildTimestamp: "",
  captiveCoreVersion: "nova-localnet (no stellar-core)",
  protocolVersion: network.settings.protocolVersion,
})
