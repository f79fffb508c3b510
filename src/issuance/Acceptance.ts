import type { Owner } from "../merchant/Owner.ts"
import type { IssueRequest, Priority } from "./IssueRequest.ts"

/** A request with what it needs to become a row. */
export interface Acceptance {
  readonly owner: Owner
  readonly request: IssueRequest
  /** Taken where the request asks for none. */
  readonly priorityDefault: Priority
  /** The id that the issuance gets if this request is the one that is accepted. */
  readonly id: string
  /** When the request came: the campaign must be active then, and caps count in its period. */
  readonly at: Date
  /** W3C traceparent of the span that asks, so that the worker's spans join the same trace. */
  readonly traceContext: string | null
}

/** A reward that the book has promised. */
export interface PromisedReward extends Acceptance {
  readonly hash: Uint8Array
  readonly capPeriodStart: Date | null
}
