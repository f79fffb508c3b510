/** Every code that an error of the API can carry. Append-only: a code keeps its meaning for ever. */
import type { CampaignError } from "../campaign/CampaignErrors.ts"
import type { IssuanceError } from "../issuance/IssuanceErrors.ts"

/** Errors of a domain; each carries a message fit for merchants. */
export type DomainError = CampaignError | IssuanceError

/** Codes that come from the transport, not from a domain. */
export type TransportCode =
  | "request.invalid"
  | "request.invalid_json"
  | "request.unexpected_body"
  | "request.timeout"
  | "request.too_large"
  | "request.unsupported_media_type"
  | "idempotency.key_missing"
  | "idempotency.keys_differ"
  | "auth.invalid_key"
  | "route.not_found"
  | "route.method_not_allowed"
  | "server.internal"
  | "server.unavailable"
  | "server.not_ready"

export type ErrorCode = DomainError["code"] | TransportCode
