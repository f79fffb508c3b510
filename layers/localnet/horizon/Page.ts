import type { Network } from "../Network.ts"
import { badRequest, beforeHistory, invalidField } from "./Problems.ts"
import type { Link } from "./Render.ts"
import { toid, toidAfterLedger } from "./Toid.ts"

export type Order = "asc" | "desc"

/** A page of a history collection. `after` is exclusive in the direction of `order`. */
export interface PageQuery {
  readonly cursor: string
  readonly after: bigint
  readonly order: Order
  readonly limit: number
}

const PAGE_LIMIT_DEFAULT = 10
const PAGE_LIMIT_MAX = 200
const CURSOR_MAX = 2n ** 63n - 1n

export const readLimit = (text: string): number => {
  if (text === "") return PAGE_LIMIT_DEFAULT
  if (!/^[+-]?\d{1,18}$/.test(text)) throw invalidField("limit", "unparseable value")
  const limit = Number(text)
  if (limit <= 0) throw invalidField("limit", "invalid limit: non-positive value provided")
  if (limit > PAGE_LIMIT_MAX) {
    throw invalidField("limit", `invalid limit: value provided that is over limit max of ${PAGE_LIMIT_MAX}`)
  }
  return limit
}

export const readOrder = (text: string): Order => {
  if (text === "" || text === "asc") return "asc"
  if (text === "desc") return "desc"
  throw invalidField("order", "order: invalid value")
}

const readCursor = (network: Network, query: URLSearchParams, lastEventId: string): string => {
  const given = lastEventId === "" ? (query.get("cursor") ?? "") : lastEventId
  if (given === "now") return toidAfterLedger(network.latest().sequence).toString()
  if (/^-\d+$/.test(given)) {
    throw invalidField("cursor", `the cursor ${given} is a negative number: `)
  }
  if (given !== "" && (!/^\d{1,19}$/.test(given) || BigInt(given) > CURSOR_MAX)) {
    throw invalidField("cursor", "cursor: invalid value")
  }
  return given
}

/**
 * Reads cursor, order and limit as Horizon's actions.GetPageQuery does; 410 for a descending page that
 * starts before recorded history (an ascending one starts at its beginning instead).
 * @throws HorizonProblem 400 naming the field, 410
 */
export const readPageQuery = (network: Network, query: URLSearchParams, lastEventId = ""): PageQuery => {
  const cursor = readCursor(network, query, lastEventId)
  const limit = readLimit(query.get("limit") ?? "")
  const order = readOrder(query.get("order") ?? "")
  const after = cursor === "" ? (order === "asc" ? 0n : CURSOR_MAX) : BigInt(cursor)
  if (order === "desc" && after <= toid(network.oldestLedger())) throw beforeHistory()
  return { cursor, after, order, limit }
}

/** `include_failed`: false unless asked for. */
export const readIncludeFailed = (query: URLSearchParams): boolean => {
  const text = query.get("include_failed") ?? ""
  if (text === "" || text === "false") return false
  if (text === "true") return true
  throw invalidField("include_failed", "Filter should be true or false")
}

/** `join=transactions`: operations carry their transaction. */
export const readJoin = (query: URLSearchParams): boolean => {
  const text = query.get("join") ?? ""
  if (text === "") return false
  if (text === "transactions") return true
  throw invalidField("join", "Accepted values: transactions")
}

export interface PageBody {
  readonly _links: { readonly self: Link; readonly next: Link; readonly prev: Link }
  readonly _embedded: { readonly records: ReadonlyArray<unknown> }
}

interface PageTarget {
  readonly baseUrl: string
  readonly path: string
  readonly query: URLSearchParams
}

const pageLink = (target: PageTarget, page: PageQuery, cursor: string, order: Order): Link => {
  const query = new URLSearchParams(target.query)
  query.set("cursor", cursor)
  query.set("limit", String(page.limit))
  query.set("order", order)
  query.sort()
  return { href: `${target.baseUrl}${target.path}?${query}` }
}

/** The HAL page around records: `next` goes on from the last one, `prev` back from the first. */
export const pageBody = (
  target: PageTarget,
  page: PageQuery,
  records: ReadonlyArray<{ readonly paging_token: string }>,
): PageBody => ({
  _links: {
    self: pageLink(target, page, page.cursor, page.order),
    next: pageLink(target, page, records.at(-1)?.paging_token ?? page.cursor, page.order),
    prev: pageLink(
      target,
      page,
      records[0]?.paging_token ?? page.cursor,
      page.order === "asc" ? "desc" : "asc",
    ),
  },
  _embedded: { records },
})

/** A positive integer out of a path. @throws HorizonProblem 400 */
export const readPathInteger = (field: string, text: string, reason: string): bigint => {
  if (!/^\d{1,19}$/.test(text)) throw invalidField(field, reason)
  const value = BigInt(text)
  if (value > CURSOR_MAX) throw badRequest()
  return value
}
