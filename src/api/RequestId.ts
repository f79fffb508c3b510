/**
 * The id of the request that is being handled: the caller's `X-Request-Id` if it is a sane one, otherwise a new
 * one. It is on the answer, on every problem, log line and span.
 */
import { Context } from "effect"

export const RequestId = Context.Reference<string>("nova/api/RequestId", {
  defaultValue: () => "req_none",
})

// Long enough for a UUID or a trace id; nothing that could break a log line or a header.
const SANE = /^[A-Za-z0-9._:-]{1,128}$/

/** The caller's id, or undefined when it is absent or could not be passed on as it is. */
export const incoming = (header: string | undefined): string | undefined =>
  header !== undefined && SANE.test(header) ? header : undefined
