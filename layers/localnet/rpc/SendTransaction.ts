import { MalformedEnvelope, type Network, type Submission } from "../Network.ts"
import { invalidParams } from "./RpcFault.ts"
import { type RpcParams, requireBase64, stringParam } from "./RpcParams.ts"

const submit = (network: Network, envelopeXdr: string): Submission => {
  try {
    return network.submit(envelopeXdr)
  } catch (error) {
    if (error instanceof MalformedEnvelope) throw invalidParams("invalid_xdr")
    throw error
  }
}

/**
 * Hands a signed envelope to the queue and tells what the queue said; never waits for a ledger. The close
 * time is a decimal string, as the server writes it (its OpenRPC description says number).
 * @throws RpcFault -32602 `invalid_xdr`
 */
export const sendTransaction = (network: Network, params: RpcParams) => {
  requireBase64(params)
  const envelopeXdr = stringParam(params, "transaction")
  // Read before submitting, as stellar-rpc does: the ledger named is one that the sender can rely on.
  const latest = network.latest()
  const submission = submit(network, envelopeXdr)
  return {
    status: submission.status,
    hash: submission.hash,
    latestLedger: latest.sequence,
    latestLedgerCloseTime: String(latest.closeTime),
    ...(submission.status === "ERROR" ? { errorResultXdr: submission.resultXdr } : {}),
  }
}
