/** A problem document as Horizon writes it (RFC 7807 members, `application/problem+json`). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly extras?: Readonly<Record<string, unknown>>
}

const TYPE_PREFIX = "https://stellar.org/horizon-errors/"

/** Thrown by a handler; rendered as the problem it carries. */
export class HorizonProblem extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.title)
    this.problem = problem
  }
}

const problem = (
  type: string,
  title: string,
  status: number,
  detail: string,
  extras?: Readonly<Record<string, unknown>>,
) =>
  new HorizonProblem({
    type: TYPE_PREFIX + type,
    title,
    status,
    detail,
    ...(extras === undefined ? {} : { extras }),
  })

export const notFound = () =>
  problem(
    "not_found",
    "Resource Missing",
    404,
    "The resource at the url requested was not found.  This usually occurs for one of two reasons:  The url " +
      "requested is not valid, or no data in our database could be found with the parameters provided.",
  )

/** A resource that Horizon has and this network does not: Horizon's own problem for such a case. */
export const notImplemented = () =>
  problem(
    "not_implemented",
    "Resource Not Yet Implemented",
    404,
    "While the requested URL is expected to eventually point to a valid resource, the work to implement the " +
      "resource has not yet been completed.",
  )

export const badRequest = (
  detail = "The request you sent was invalid in some way.",
  extras?: Readonly<Record<string, unknown>>,
) => problem("bad_request", "Bad Request", 400, detail, extras)

export const invalidField = (field: string, reason: string) =>
  badRequest(undefined, { invalid_field: field, reason })

/** `/accounts` without a filter, or with more than one (Horizon's actions.AccountsQuery). */
export const invalidAccountsParams = () =>
  problem(
    "invalid_accounts_params",
    "Invalid Accounts Parameters",
    400,
    "Exactly one filter is required. Please ensure that you are including a signer, sponsor, asset, or " +
      "liquidity pool filter.",
  )

export const beforeHistory = () =>
  problem(
    "before_history",
    "Data Requested Is Before Recorded History",
    410,
    "This horizon instance is configured to only track a portion of the stellar network's latest history. " +
      "This request is asking for results prior to the recorded history known to this horizon instance.",
  )

export const notAcceptable = () =>
  new HorizonProblem({
    type: `${TYPE_PREFIX}not_acceptable`,
    title: "An acceptable response content-type could not be provided for this request",
    status: 406,
  })

export const unsupportedMediaType = () =>
  problem(
    "unsupported_media_type",
    "Unsupported Media Type",
    415,
    "The request has an unsupported content type. Presently, the only supported content type is " +
      "application/x-www-form-urlencoded.",
  )

export const serverOverCapacity = () =>
  problem(
    "server_over_capacity",
    "Server Over Capacity",
    503,
    "This horizon server is currently overloaded.  Please wait for several minutes before trying your " +
      "request again.",
  )

export const serverError = () =>
  problem(
    "server_error",
    "Internal Server Error",
    500,
    "An error occurred while processing this request.  This is usually due to a bug within the server " +
      "software.  Trying this request again may succeed if the bug is transient.",
  )

export const transactionMalformed = (envelopeXdr: string) =>
  problem(
    "transaction_malformed",
    "Transaction Malformed",
    400,
    "Horizon could not decode the transaction envelope in this request. A transaction should be an XDR " +
      "TransactionEnvelope struct encoded using base64.  The envelope read from this request is echoed in " +
      "the `extras.envelope_xdr` field of this response for your convenience.",
    { envelope_xdr: envelopeXdr },
  )

export const transactionFailed = (extras: Readonly<Record<string, unknown>>) =>
  problem(
    "transaction_failed",
    "Transaction Failed",
    400,
    "The transaction failed when submitted to the stellar network. The `extras.result_codes` field on this " +
      "response contains further details.  Descriptions of each code can be found at: " +
      "https://developers.stellar.org/api/errors/http-status-codes/horizon-specific/transaction-failed/",
    extras,
  )

export const submissionTimeout = (hash: string, envelopeXdr: string) =>
  problem(
    "transaction_submission_timeout",
    "Transaction Submission Timeout",
    504,
    "Your transaction submission request has timed out. This does not necessarily mean the submission has " +
      "failed. Before resubmitting, please use the transaction hash provided in `extras.hash` to poll the " +
      "GET /transactions endpoint for sometime and check if it was included in a ledger.",
    { hash, envelope_xdr: envelopeXdr },
  )
