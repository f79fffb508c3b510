/**
 * What a caller may do after a port failed. Every port error carries one, as data.
 *
 * - `now`: nothing happened and nothing is wrong; try again at once.
 * - `backoff`: nothing happened; try again later.
 * - `never`: the request itself is wrong; trying again gives the same answer.
 * - `unknown_outcome`: it may have happened. Look it up before anything else; never repeat it under a new
 *   identity (for a transaction: never under a new sequence).
 */
export type RetryVerdict = "now" | "backoff" | "never" | "unknown_outcome"
