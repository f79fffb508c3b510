/** What becomes of a call between a client and the network. */
import type { CallKind } from "./FaultPlan.ts"

export interface CallFate {
  readonly answer: "given" | "lost" | "gateway_timeout" | "rate_limited"
  /** Whether the request is carried out. */
  readonly reached: boolean
}

export interface Calls {
  /** Asked once for every call, in the order in which they arrive. */
  readonly fateOf: (kind: CallKind) => CallFate
}

const ANSWERED: CallFate = { answer: "given", reached: true }

/** No faults. */
export const undisturbed: Calls = { fateOf: () => ANSWERED }

/** Friendbot is a convenience, not a part of what is being tried: its calls are left alone. */
export const horizonCallKind = (method: string, path: string): CallKind | undefined => {
  if (/^\/friendbot\/?$/.test(path)) return undefined
  return method === "POST" && /^\/transactions(_async)?\/?$/.test(path) ? "submit" : "read"
}

export const rpcCallKind = (method: string): CallKind => (method === "sendTransaction" ? "submit" : "read")
