import type { Network } from "../Network.ts"
import type { RpcSurroundings } from "../rpc/NodeInfo.ts"
import { dispatchRpcText } from "../rpc/RpcDispatch.ts"
import { readBody } from "./HttpBody.ts"

/** stellar-rpc's maxHTTPRequestSize. */
const BODY_BYTES_MAX = 512 * 1024

const text = (body: string, status: number) =>
  new Response(`${body}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } })

/**
 * Stellar RPC over HTTP with the manners of the server's library (creachadair/jrpc2, jhttp.Bridge): POST of
 * application/json only, 200 for errors of JSON-RPC, 204 for notifications, 500 for a body that is too large.
 */
export const answerRpc = async (
  network: Network,
  surroundings: RpcSurroundings,
  onDefect: (error: unknown) => void,
  request: Request,
): Promise<Response> => {
  if (request.method !== "POST") {
    return new Response(null, { status: 405, headers: { "accept-post": "application/json" } })
  }
  const mediaType = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase()
  if (mediaType !== "application/json") return text("content-type must be application/json", 415)
  const body = await readBody(request, BODY_BYTES_MAX)
  if (body === undefined) return text("http: request body too large", 500)
  const answer = dispatchRpcText(network, body, surroundings, onDefect)
  return answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer)
}
