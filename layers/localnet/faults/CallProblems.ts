/** Horizon's problems for too many requests and for one that took too long (types and titles: its reference). */
import { HorizonProblem } from "../horizon/Problems.ts"

const TYPE_PREFIX = "https://stellar.org/horizon-errors/"

export const rateLimited = () =>
  new HorizonProblem({
    type: `${TYPE_PREFIX}rate_limit_exceeded`,
    title: "Rate Limit Exceeded",
    status: 429,
    detail:
      "The rate limit for the requesting IP address is over its alloted limit.  The allowed limit and requests " +
      "left per time period are communicated to clients via the http response headers 'X-RateLimit-*' headers.",
  })

export const gatewayTimeout = () =>
  new HorizonProblem({
    type: `${TYPE_PREFIX}timeout`,
    title: "Timeout",
    status: 504,
    detail:
      "Your request timed out before completing. Please try your request again. If you are submitting a " +
      "transaction make sure you are sending exactly the same transaction (with the same sequence number).",
  })
