/** Stellar RPC of an embedded network in this process, without sockets: for tests and simulation. */
import { Effect, Layer } from "effect"
import { SorobanRpc, SorobanRpcError } from "../../src/ports/SorobanRpc.ts"
import type { Network } from "../localnet/Network.ts"
import { callRpc } from "../localnet/rpc/RpcDispatch.ts"
import { INTERNAL_ERROR, RpcFault } from "../localnet/rpc/RpcFault.ts"
import { make } from "./SorobanRpcAnswers.ts"

export const layer = (network: Network) =>
  Layer.succeed(
    SorobanRpc,
    make((method, params) =>
      Effect.try({
        try: () => callRpc(network, method, params),
        catch: (error) =>
          new SorobanRpcError({
            method,
            reason:
              error instanceof RpcFault && error.code !== INTERNAL_ERROR ? "invalid_request" : "server_error",
            message: error instanceof Error ? error.message : String(error),
          }),
      }),
    ),
  )
