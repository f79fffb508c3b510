/**
 * The network's port as one process has it: every call waits at the gate, and meets with whatever the plan has for
 * it: the embedded network's own faults, and an address behind which several nodes stand that are not equally far.
 */
import { Effect, Exit, Layer } from "effect"
import type { FaultyNetwork } from "../../layers/localnet/faults/InjectFaults.ts"
import { laggingView } from "../../layers/localnet/faults/LaggingView.ts"
import type { Network } from "../../layers/localnet/Network.ts"
import * as SorobanRpcLocalnet from "../../layers/soroban-rpc/SorobanRpcLocalnet.ts"
import { SorobanRpc, SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import type { StepKind } from "./Fault.ts"
import type { Gate } from "./Gate.ts"
import type { Process } from "./Process.ts"

/** ms on the way to a node, and back. */
const USUAL_MS = 60

type Rpc = SorobanRpc["Service"]

const rpcOf = (layer: Layer.Layer<SorobanRpc>): Rpc =>
  Effect.runSync(Effect.provide(SorobanRpc, layer, { local: true }))

export interface Nodes {
  /** From now on some of the nodes are so many ledgers behind; 0: all are equal. */
  readonly differ: (behindLedgers: number) => void
  /** From now on there is one node, and it is a good one. */
  readonly mend: () => void
  readonly layerFor: (process: Process, gate: Gate) => Layer.Layer<SorobanRpc>
}

/** What an answer says, in a few words and without anything that is not the same in every run. */
const describe = (answer: unknown): string => {
  if (typeof answer !== "object" || answer === null) return "answered"
  const { entries, latestLedger, sequence, status } = answer as Record<string, unknown>
  const parts = [
    status,
    sequence,
    latestLedger === undefined || latestLedger === 0 ? undefined : `at ${latestLedger}`,
  ]
  const count = Array.isArray(entries) ? [`${entries.length} entries`] : []
  return [...parts.filter((part) => part !== undefined), ...count].join(" ") || "answered"
}

const CALL: ReadonlySet<StepKind> = new Set<StepKind>(["any", "call"])
const SEND: ReadonlySet<StepKind> = new Set<StepKind>(["any", "send"])

/**
 * @param real the network itself
 * @param faulty the network with its plan in front
 */
export const makeNodes = (real: Network, faulty: FaultyNetwork): Nodes => {
  const good = rpcOf(SorobanRpcLocalnet.layer(real))
  let first = rpcOf(SorobanRpcLocalnet.layer(faulty.network, faulty.calls))
  let behind = 0
  const late = rpcOf(
    SorobanRpcLocalnet.layer({
      ...real,
      submit: faulty.network.submit,
      ...laggingView(real, () => behind),
    }),
  )
  return {
    differ: (behindLedgers) => {
      behind = behindLedgers
    },
    mend: () => {
      behind = 0
      first = good
    },
    layerFor: (process, gate) => {
      const call = <A>(label: string, use: (rpc: Rpc) => Effect.Effect<A, SorobanRpcError>, kinds = CALL) =>
        gate.pass<A, SorobanRpcError>(process, {
          label,
          kinds,
          usualMs: USUAL_MS,
          carryOut: (done) =>
            done(Effect.runSyncExit(use(behind > 0 && process.chance.isTrue(0.5) ? late : first))),
          mayBeOrphan: () => true,
          giveUp: () => Effect.void,
          breakOff: () =>
            Exit.fail(
              new SorobanRpcError({
                method: label,
                reason: "unreachable",
                message: "the connection was lost",
              }),
            ),
          describe,
          describeError: ({ reason }) => reason,
        })
      return Layer.succeed(SorobanRpc, {
        getHealth: call("getHealth", (rpc) => rpc.getHealth),
        getNetwork: call("getNetwork", (rpc) => rpc.getNetwork),
        getLatestLedger: call("getLatestLedger", (rpc) => rpc.getLatestLedger),
        getFeeStats: call("getFeeStats", (rpc) => rpc.getFeeStats),
        getLedger: (sequence) => call(`getLedger ${sequence}`, (rpc) => rpc.getLedger(sequence)),
        getLedgerEntries: (keys) =>
          call(`getLedgerEntries of ${keys.length}`, (rpc) => rpc.getLedgerEntries(keys)),
        sendTransaction: (envelopeXdr) =>
          call("sendTransaction", (rpc) => rpc.sendTransaction(envelopeXdr), SEND),
        getTransaction: (hash) =>
          call(`getTransaction ${hash.slice(0, 8)}`, (rpc) => rpc.getTransaction(hash)),
      })
    },
  }
}
