import type { Problem } from "./Problems.ts"

/** A request as the routes see it, whether it came over HTTP or from a layer in the same process. */
export interface HorizonRequest {
  readonly method: string
  /** Without query, as it was sent (percent-encoded). */
  readonly path: string
  readonly query: URLSearchParams
  /** Fields of a form body; empty where there was none, or none that could be read. */
  readonly form: URLSearchParams
  readonly contentType: string
  readonly accept: string
  readonly lastEventId: string
  /** Put before every link; "" makes links relative. */
  readonly baseUrl: string
  readonly signal?: AbortSignal
}

export interface StreamEvent {
  readonly id?: string
  readonly data: unknown
}

/** A stream of server-sent events: what is new since the last pull, until `limit` events were sent. */
export interface EventFeed {
  readonly limit: number
  readonly pull: (atMost: number) => ReadonlyArray<StreamEvent>
}

export type HorizonAnswer =
  | { readonly kind: "resource"; readonly status: number; readonly body: unknown }
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "stream"; readonly feed: EventFeed }
  | { readonly kind: "methodNotAllowed" }

export const resource = (body: unknown, status = 200): HorizonAnswer => ({ kind: "resource", status, body })
