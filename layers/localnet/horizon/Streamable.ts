import type { Network } from "../Network.ts"
import type { Collection } from "./Collections.ts"
import { type HorizonAnswer, type HorizonRequest, resource } from "./HorizonMessage.ts"
import { type PageQuery, pageBody, readPageQuery } from "./Page.ts"
import { notAcceptable } from "./Problems.ts"
import { toidAfterLedger } from "./Toid.ts"

const EVENT_STREAM = "text/event-stream"
const JSON_RANGES = ["*/*", "application/*", "application/hal+json", "application/json"]

export type Representation = "json" | "events"

/**
 * JSON unless server-sent events alone are accepted.
 * @throws HorizonProblem 406 where neither is
 */
export const negotiate = (accept: string): Representation => {
  const ranges = accept.split(",").map((range) => range.split(";")[0]?.trim().toLowerCase() ?? "")
  if (accept === "" || ranges.some((range) => JSON_RANGES.includes(range))) return "json"
  if (ranges.includes(EVENT_STREAM)) return "events"
  throw notAcceptable()
}

/** Beyond all that has closed by now, in the direction of the page: where a stream goes on that found no more. */
const exhausted = (network: Network, { order, after }: PageQuery): bigint => {
  if (order === "desc") return 0n
  const end = toidAfterLedger(network.latest().sequence)
  return after > end ? after : end
}

/**
 * A page of the collection, or a stream of what is in it and what comes: `limit` events, after which the
 * stream ends and the client comes back with its cursor.
 */
export const collectionAnswer = (
  network: Network,
  request: HorizonRequest,
  collection: Collection,
): HorizonAnswer => {
  const page = readPageQuery(network, request.query, request.lastEventId)
  if (negotiate(request.accept) === "json") return resource(pageBody(request, page, collection(page)))
  let after = page.after
  const pull = (atMost: number) => {
    const records = collection({ ...page, after, limit: atMost })
    const last = records.at(-1)
    // What was looked through in vain is not looked through again at every close.
    if (records.length < atMost) after = exhausted(network, { ...page, after })
    else if (last !== undefined) after = BigInt(last.paging_token)
    return records.map((record) => ({ id: record.paging_token, data: record }))
  }
  return { kind: "stream", feed: { limit: page.limit, pull } }
}

/** Events after which Horizon ends the stream of a single object. */
const OBJECT_STREAM_LIMIT = 10

/** An account, or a stream of its states: one event at once, one after each ledger that changed it. */
export const accountAnswer = (request: HorizonRequest, read: () => unknown): HorizonAnswer => {
  if (negotiate(request.accept) === "json") return resource(read())
  let shown = ""
  const pull = () => {
    const data = read()
    const text = JSON.stringify(data)
    if (text === shown) return []
    shown = text
    return [{ data }]
  }
  return { kind: "stream", feed: { limit: OBJECT_STREAM_LIMIT, pull } }
}
