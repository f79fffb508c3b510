/**
 * Errors of the API as RFC 9457 problems: the table of codes, the schema of each, and how one is made.
 *
 * `docs/errors.md` and the errors of the OpenAPI document are generated from the table.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc9457
 */
import { Effect, Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import type { DomainError, ErrorCode } from "./ErrorCode.ts"
import { RequestId } from "./RequestId.ts"

export interface ProblemKind {
  readonly status: number
  readonly title: string
  /** Whether the same request, sent again later, may succeed. */
  readonly retryable: boolean
  /** When it happens and what to do about it. */
  readonly about: string
}

export const problems = {
  "request.invalid": {
    status: 400,
    title: "The request has invalid fields",
    retryable: false,
    about:
      "A field of the body, the query, the path or a header is missing, unknown or not of its form. `errors` names every one with the reason; `param` is the first of them.",
  },
  "request.invalid_json": {
    status: 400,
    title: "The body is not valid JSON",
    retryable: false,
    about:
      "The body is not one JSON object in UTF-8 (RFC 8259), is nested too deeply, or has one name twice in an object, so that it could be read in two ways.",
  },
  "request.unexpected_body": {
    status: 400,
    title: "The request must not have a body",
    retryable: false,
    about: "GET and HEAD requests carry everything in their path and query. Send them without a body.",
  },
  "idempotency.key_missing": {
    status: 400,
    title: "An idempotency key is required",
    retryable: false,
    about:
      "Requests that move value carry a key of your own, in the body's `idempotencyKey` or the `Idempotency-Key` header, so that repeating one never pays twice.",
  },
  "idempotency.keys_differ": {
    status: 400,
    title: "The body and the header have different idempotency keys",
    retryable: false,
    about: "Send the key in one place, or the same key in both.",
  },
  "campaign.dates_reversed": {
    status: 400,
    title: "The campaign must end after it starts",
    retryable: false,
    about: "`endsAt` is not after `startsAt` (which is now when absent).",
  },
  "issuance.wallet_not_payable": {
    status: 400,
    title: "This wallet cannot be rewarded",
    retryable: false,
    about:
      "The wallet is the asset's issuer or the account that pays rewards: a payment to it would reward nobody.",
  },
  "issuance.mode_not_paid": {
    status: 403,
    title: "Rewards of this key's mode are not paid here",
    retryable: false,
    about:
      "A live key pays on the public network only, and a test key everywhere else: this server belongs to the other kind.",
  },
  "auth.invalid_key": {
    status: 401,
    title: "A valid API key is required",
    retryable: false,
    about:
      "Send your key as `x-api-key: nova_...` or `Authorization: Bearer nova_...`. Missing, malformed, unknown and revoked keys all get this answer.",
  },
  "route.not_found": {
    status: 404,
    title: "There is nothing at this address",
    retryable: false,
    about: "No route has this path. `/openapi.json` lists them all.",
  },
  "campaign.not_found": {
    status: 404,
    title: "There is no such campaign",
    retryable: false,
    about: "You have no campaign with this id in the mode (test or live) of your key.",
  },
  "issuance.not_found": {
    status: 404,
    title: "There is no such issuance",
    retryable: false,
    about: "You have no issuance with this id in the mode (test or live) of your key.",
  },
  "route.method_not_allowed": {
    status: 405,
    title: "This method is not allowed here",
    retryable: false,
    about: "The path exists, but not for this method; the `Allow` header lists those it has.",
  },
  "request.timeout": {
    status: 408,
    title: "The body took too long",
    retryable: true,
    about: "The body did not arrive within 30 seconds of its head. Nothing was accepted.",
  },
  "campaign.not_active": {
    status: 409,
    title: "The campaign is not active",
    retryable: false,
    about:
      "The campaign is paused, has not started or has ended. Nothing was accepted and the key is unused: send it again once the campaign is active.",
  },
  "campaign.budget_exhausted": {
    status: 409,
    title: "The campaign's budget does not cover this reward",
    retryable: false,
    about:
      "What the campaign has left after paid and promised rewards is less than the amount. Nothing was accepted and the key is unused.",
  },
  "campaign.wallet_cap_reached": {
    status: 409,
    title: "The campaign's cap for this wallet does not cover this reward",
    retryable: false,
    about:
      "The campaign gives each account so much a day, week, month or altogether (`walletCap`), and what this one has left is less than the amount. All muxed addresses of an account count as one. Nothing was accepted and the key is unused.",
  },
  "campaign.budget_below_promised": {
    status: 409,
    title: "The budget cannot be less than what is promised and paid",
    retryable: false,
    about: "The new `budget` is less than `reserved` and `spent` together. Nothing was changed.",
  },
  "campaign.ended": {
    status: 409,
    title: "The campaign has ended",
    retryable: false,
    about: "An ended campaign stays ended: its `status` cannot change any more. Nothing was changed.",
  },
  "issuance.state_conflict": {
    status: 409,
    title: "The issuance's status does not allow this",
    retryable: false,
    about:
      "Only a pending or held reward can be cancelled, and only a held one tried again: not while its campaign is paused, and neither of the two while it is under review. `detail` names the status it has now. Nothing was changed.",
  },
  "request.too_large": {
    status: 413,
    title: "The body is too large",
    retryable: false,
    about: "The body is larger than this server reads (1 MiB unless configured otherwise).",
  },
  "request.unsupported_media_type": {
    status: 415,
    title: "The body must be JSON",
    retryable: false,
    about: "Send `Content-Type: application/json`, uncompressed.",
  },
  "idempotency.key_reused": {
    status: 422,
    title: "The idempotency key belongs to another request",
    retryable: false,
    about:
      "This key was accepted before with other fields. The earlier reward is untouched; use a new key for a new reward.",
  },
  "server.internal": {
    status: 500,
    title: "The server failed",
    retryable: true,
    about:
      "A fault on our side, logged under `request_id`. Repeating a request with its idempotency key is always safe.",
  },
  "server.unavailable": {
    status: 503,
    title: "The server cannot answer right now",
    retryable: true,
    about:
      "The database is out of reach or overloaded. The request may or may not have been accepted: repeat it with the same idempotency key.",
  },
  "server.not_ready": {
    status: 503,
    title: "The server is not ready for requests",
    retryable: true,
    about:
      "Answer of `/health/ready` only: a dependency is down, or the server is stopping. `errors` says which.",
  },
} as const satisfies Record<ErrorCode, ProblemKind>

export const errorCodes = Object.keys(problems) as ReadonlyArray<ErrorCode>

/** Names the kind of problem for programs; it is a name, not an address. */
export const typeOf = (code: ErrorCode): string => `urn:nova-rewards:problem:${code}`

export const FieldError = Schema.Struct({
  param: Schema.String.annotate({
    description: "The field, header or query parameter; a path such as `a.b` inside the body",
  }),
  message: Schema.String.annotate({ description: "What it must be" }),
}).annotate({ identifier: "FieldError" })

export interface Problem<Code extends ErrorCode = ErrorCode> {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: Code
  readonly param?: string
  readonly errors?: ReadonlyArray<typeof FieldError.Type>
  readonly request_id: string
  readonly retryable: boolean
}

const identifierOf = (code: string) =>
  `Problem_${code.replace(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase())}`

const schemaOf = <Code extends ErrorCode>(code: Code) => {
  const kind: ProblemKind = problems[code]
  const example = {
    type: typeOf(code),
    title: kind.title,
    status: kind.status,
    detail: kind.title,
    code,
    request_id: "req_01K9ZQ4T5XJ8W2V7R3M6N1P0CD",
    retryable: kind.retryable,
  }
  return Schema.Struct({
    type: Schema.Literal(typeOf(code)),
    title: Schema.Literal(kind.title),
    status: Schema.Literal(kind.status),
    detail: Schema.String.annotate({ description: "What is wrong with this request, for people" }),
    code: Schema.Literal(code),
    param: Schema.optionalKey(Schema.String.annotate({ description: "The first field at fault" })),
    errors: Schema.optionalKey(Schema.Array(FieldError)),
    request_id: Schema.String.annotate({
      description: "As in the answer's X-Request-Id; quote it to support",
    }),
    retryable: Schema.Literal(kind.retryable),
  })
    .annotate({ identifier: identifierOf(code), title: code, description: kind.about, examples: [example] })
    .pipe(
      HttpApiSchema.status(kind.status),
      HttpApiSchema.asJson({ contentType: "application/problem+json" }),
    )
}

/** A problem of any code, where one is part of an answer. */
export const AnyProblem = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  detail: Schema.String,
  code: Schema.Literals(errorCodes),
  param: Schema.optionalKey(Schema.String),
  errors: Schema.optionalKey(Schema.Array(FieldError)),
  request_id: Schema.String,
  retryable: Schema.Boolean,
}).annotate({ identifier: "Problem" })

type ProblemSchema<Code extends ErrorCode> = ReturnType<typeof schemaOf<Code>>
const schemas = new Map<ErrorCode, ProblemSchema<ErrorCode>>()

/** The problem's schema, for the `error` of an endpoint: its status, its content type, its example. */
export const problem = <const Code extends ErrorCode>(code: Code): ProblemSchema<Code> => {
  const known = schemas.get(code) ?? schemaOf<ErrorCode>(code)
  schemas.set(code, known)
  return known as ProblemSchema<Code>
}

export interface ProblemDetail {
  readonly detail?: string | undefined
  readonly param?: string | undefined
  readonly errors?: ReadonlyArray<typeof FieldError.Type> | undefined
}

/** The problem for the request that is being handled. */
export const makeProblem = <const Code extends ErrorCode>(
  code: Code,
  { detail, param, errors }: ProblemDetail = {},
): Effect.Effect<Problem<Code>> =>
  Effect.map(RequestId, (requestId) => {
    const kind: ProblemKind = problems[code]
    const first = param ?? errors?.[0]?.param
    return {
      type: typeOf(code),
      title: kind.title,
      status: kind.status,
      detail: detail ?? errors?.map((error) => `${error.param} ${error.message}.`).join(" ") ?? kind.about,
      code,
      ...(first === undefined ? {} : { param: first }),
      ...(errors === undefined ? {} : { errors }),
      request_id: requestId,
      retryable: kind.retryable,
    }
  })

/** Fails the request with the problem. */
export const failWith = <const Code extends ErrorCode>(code: Code, detail: ProblemDetail = {}) =>
  Effect.flatMap(makeProblem(code, detail), Effect.fail)

/**
 * Turns a domain's errors into problems; `params` says which field of this route each code speaks of.
 */
export const asProblem =
  (params: Partial<Record<ErrorCode, string>> = {}) =>
  <Failure extends DomainError>(error: Failure): Effect.Effect<never, Problem<Failure["code"]>> =>
    failWith<Failure["code"]>(error.code, detailOf(error, params[error.code]))

/** What a domain's error says of the field `param`. */
export const detailOf = (error: DomainError, param: string | undefined): ProblemDetail => ({
  detail: error.message,
  param,
  errors: param === undefined ? undefined : [{ param, message: error.message }],
})
