import type { Network } from "../Network.ts"
import { getFeeStats } from "./FeeStats.ts"
import { getLedgerEntries } from "./LedgerEntries.ts"
import { getLedgers } from "./Ledgers.ts"
import { getHealth, getLatestLedger, getNetwork, getVersionInfo, type RpcSurroundings } from "./NodeInfo.ts"
import { INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcFault } from "./RpcFault.ts"
import { type RpcParams, readParams } from "./RpcParams.ts"
import { sendTransaction } from "./SendTransaction.ts"
import { getTransaction, getTransactions } from "./Transactions.ts"

type RpcMethod = (network: Network, params: RpcParams, surroundings: RpcSurroundings) => unknown

/** Methods that are not here (simulateTransaction, getEvents) are refused as unknown. */
const methods: Readonly<Record<string, RpcMethod>> = {
  getFeeStats,
  getHealth: (network, _, surroundings) => getHealth(network, surroundings),
  getLatestLedger,
  getLedgerEntries,
  getLedgers,
  getNetwork: (network, _, surroundings) => getNetwork(network, surroundings),
  getTransaction,
  getTransactions,
  getVersionInfo,
  sendTransaction,
}

export interface RpcErrorObject {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

type RpcId = string | number | null

export type RpcResponse =
  | { readonly jsonrpc: "2.0"; readonly id: RpcId; readonly result: unknown }
  | { readonly jsonrpc: "2.0"; readonly id: RpcId; readonly error: RpcErrorObject }

const errorObject = (fault: RpcFault): RpcErrorObject => ({
  code: fault.code,
  message: fault.message,
  ...(fault.data === undefined ? {} : { data: fault.data }),
})

/**
 * Calls one method with parameters by name.
 * @throws RpcFault with the code and message that Stellar RPC gives
 */
export const callRpc = (
  network: Network,
  method: string,
  params: unknown,
  surroundings: RpcSurroundings = {},
): unknown => {
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (handler === undefined) throw new RpcFault(METHOD_NOT_FOUND, "method not found", method)
  return handler(network, readParams(params), surroundings)
}

const isId = (id: unknown): id is RpcId => id === null || typeof id === "string" || typeof id === "number"

const failure = (id: RpcId, fault: RpcFault): RpcResponse => ({
  jsonrpc: "2.0",
  id,
  error: errorObject(fault),
})

const dispatchOne = (
  network: Network,
  request: unknown,
  surroundings: RpcSurroundings,
): RpcResponse | undefined => {
  if (typeof request !== "object" || request === null || Array.isArray(request)) {
    return failure(null, new RpcFault(INVALID_REQUEST, "request is not a JSON object"))
  }
  const { jsonrpc, id, method, params } = request as Record<string, unknown>
  const isNotification = id === undefined
  if (!isNotification && !isId(id)) return failure(null, new RpcFault(INVALID_REQUEST, "invalid request ID"))
  const answerId = isNotification ? null : id
  try {
    if (jsonrpc !== "2.0") throw new RpcFault(INVALID_REQUEST, "incorrect JSON-RPC version")
    if (typeof method !== "string" || method === "") throw new RpcFault(INVALID_REQUEST, "empty method name")
    const result = callRpc(network, method, params, surroundings)
    return isNotification ? undefined : { jsonrpc: "2.0", id: answerId, result }
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error
    return isNotification && error.code !== INVALID_REQUEST ? undefined : failure(answerId, error)
  }
}

/**
 * Answers one JSON-RPC 2.0 request, or a batch of them in its order; undefined where nothing asked for an
 * answer (notifications). A single answer to a batch comes without an array, as the server's library
 * (creachadair/jrpc2) does it. A fault inside the network is -32603 and is passed to `onDefect`.
 */
export const dispatchRpc = (
  network: Network,
  request: unknown,
  surroundings: RpcSurroundings = {},
  onDefect: (error: unknown) => void = (error) => console.error(error),
): RpcResponse | ReadonlyArray<RpcResponse> | undefined => {
  const answer = (one: unknown): RpcResponse | undefined => {
    try {
      return dispatchOne(network, one, surroundings)
    } catch (error) {
      onDefect(error)
      const id = (one as { id?: unknown } | null)?.id
      return failure(isId(id) ? id : null, new RpcFault(INTERNAL_ERROR, "internal error"))
    }
  }
  if (!Array.isArray(request)) return answer(request)
  if (request.length === 0) return failure(null, new RpcFault(INVALID_REQUEST, "empty request batch"))
  const answers = request.map(answer).filter((one) => one !== undefined)
  return answers.length > 1 ? answers : answers[0]
}

/** As `dispatchRpc`, from the bytes of a request; -32700 where they are not JSON. */
export const dispatchRpcText = (
  network: Network,
  body: string,
  surroundings: RpcSurroundings,
  onDefect?: (error: unknown) => void,
) => {
  let request: unknown
  try {
    request = JSON.parse(body)
  } catch {
    return failure(null, new RpcFault(PARSE_ERROR, "parse error"))
  }
  return dispatchRpc(network, request, surroundings, onDefect)
}
