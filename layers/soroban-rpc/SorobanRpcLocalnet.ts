/** Stellar RPC of an embedded network in this process, without sockets: for tests and simulation. */
import { Effect, Layer } from "effect"
import { SorobanRpc, SorobanRpcError, type SorobanRpcFailure } from "../../src/ports/SorobanRpc.ts"
import { type Calls, rpcCallKind, undisturbed } from "../localnet/faults/Calls.ts"
import type { Network } from "../localnet/Network.ts"
import { callRpc } from "../localnet/rpc/RpcDispatch.ts"
import { INTERNAL_ERROR, RpcFault } from "../localnet/rpc/RpcFault.ts"
import { make } from "./SorobanRpcAnswers.ts"

const answered = (network: Network, method: string, params: Record<string, unknown> | undefined) =>
  Effect.try({
    try: () => callRpc(network, method, params),
    catch: (error) =>
      new SorobanRpcError({
        method,
        reason:
          error instanceof RpcFault && error.code !== INTERNAL_ERROR ? "invalid_request" : "server_error",
        message: error instanceof Error ? error.message : String(error),
      }),
  })

/** As the HTTP layer puts it when the wire fails in that way. */
const DISTURBANCES = {
  lost: { reason: "unreachable", message: "the connection was lost" },
  gateway_timeout: { reason: "timeout", message: "RPC answered 504" },
  rate_limited: { reason: "rate_limited", message: "RPC answered 429" },
} satisfies Record<string, { reason: typeof SorobanRpcFailure.Type; message: string }>

/** @param calls what becomes of the calls on their way: nothing but answers, unless faults are injected */
export const layer = (network: Network, calls: Calls = undisturbed) =>
  Layer.succeed(
    SorobanRpc,
    make((method, params) =>
      Effect.suspend(() => {
        const fate = calls.fateOf(rpcCallKind(method))
        const answer = answered(network, method, params)
        if (fate.answer === "given") return answer
        const failed = Effect.fail(new SorobanRpcError({ method, ...DISTURBANCES[fate.answer] }))
        return fate.reached ? Effect.andThen(Effect.exit(answer), failed) : failed
      }),
    ),
  )
