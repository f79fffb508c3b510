/** Injected faults as a client of HTTP meets them: a connection that ends without an answer, a 504, a 429. */
import { gatewayTimeout, rateLimited } from "../faults/CallProblems.ts"
import { type CallFate, type Calls, horizonCallKind, undisturbed } from "../faults/Calls.ts"
import type { CallKind } from "../faults/FaultPlan.ts"

type Answer = (request: Request) => Promise<Response>

/** A body that breaks off before its first byte makes the server close the connection without a status line. */
const connectionLost = (): Response =>
  new Response(new ReadableStream({ start: (controller) => controller.error() }))

const refusal = (status: 429 | 504, body: string, contentType: string): Response =>
  new Response(body, {
    status,
    headers: { "content-type": contentType, ...(status === 429 ? { "retry-after": "1" } : {}) },
  })

/** A proxy in front of RPC answers by itself. */
const rpcRefusal = (status: 429 | 504): Response =>
  refusal(status, status === 429 ? "Too Many Requests\n" : "Gateway Timeout\n", "text/plain; charset=utf-8")

const horizonRefusal = (status: 429 | 504): Response => {
  const { problem } = status === 429 ? rateLimited() : gatewayTimeout()
  return refusal(status, JSON.stringify(problem), "application/problem+json; charset=utf-8")
}

const disturb = async (
  fate: CallFate,
  answer: () => Promise<Response>,
  refuse: (status: 429 | 504) => Response,
): Promise<Response> => {
  if (fate.answer === "given") return answer()
  if (fate.reached) await (await answer()).body?.cancel()
  if (fate.answer === "lost") return connectionLost()
  return refuse(fate.answer === "rate_limited" ? 429 : 504)
}

/** One HTTP request is one call, whatever it asks for; a batch that submits is a submission. */
const rpcKind = async (request: Request): Promise<CallKind> =>
  /"sendTransaction"/.test(await request.clone().text()) ? "submit" : "read"

export const disturbRpc = async (calls: Calls, request: Request, answer: Answer): Promise<Response> => {
  if (calls === undisturbed) return answer(request)
  const fate = calls.fateOf(await rpcKind(request))
  return disturb(fate, () => answer(request), rpcRefusal)
}

export const disturbHorizon = async (calls: Calls, request: Request, answer: Answer): Promise<Response> => {
  const kind = horizonCallKind(request.method, new URL(request.url).pathname)
  if (calls === undisturbed || kind === undefined) return answer(request)
  return disturb(calls.fateOf(kind), () => answer(request), horizonRefusal)
}
