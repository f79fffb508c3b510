import type { Network } from "../Network.ts"
import { makeFriendbot } from "./Friendbot.ts"
import type { HorizonAnswer, HorizonRequest } from "./HorizonMessage.ts"
import { routeHorizon } from "./HorizonRoutes.ts"
import { watchInclusion } from "./Inclusion.ts"
import { HorizonProblem, notAcceptable, serverError } from "./Problems.ts"
import { negotiate } from "./Streamable.ts"
import { SUBMISSION_TIMEOUT_MS } from "./Submit.ts"

/** Horizon over a network, without a socket: the HTTP server and the direct layers call the same thing. */
export interface Horizon {
  /** Never rejects: what goes wrong is a problem. */
  readonly answer: (request: HorizonRequest) => Promise<HorizonAnswer>
  /** Ends the waits for inclusion; what waited is told of a timeout. */
  readonly close: () => void
}

export interface HorizonOptions {
  readonly network: Network
  /** How long `POST /transactions` and friendbot wait for a ledger, in ms; 30 seconds as Horizon. */
  readonly submissionTimeoutMs?: number
  /** Told of faults that are no problem document: bugs. */
  readonly onDefect?: (error: unknown) => void
}

export const makeHorizon = (options: HorizonOptions): Horizon => {
  const { network, submissionTimeoutMs = SUBMISSION_TIMEOUT_MS, onDefect = console.error } = options
  const inclusion = watchInclusion(network)
  const friendbot = makeFriendbot(network, inclusion, submissionTimeoutMs)
  const services = { network, inclusion, friendbot, submissionTimeoutMs }
  const answer = async (request: HorizonRequest): Promise<HorizonAnswer> => {
    try {
      const wanted = request.method === "GET" ? negotiate(request.accept) : "json"
      const given = await routeHorizon(services, request)
      if (given.kind === "resource" && wanted === "events") throw notAcceptable()
      return given
    } catch (error) {
      if (error instanceof HorizonProblem) return { kind: "problem", problem: error.problem }
      onDefect(error)
      return { kind: "problem", problem: serverError().problem }
    }
  }
  return { answer, close: inclusion.close }
}
