import type { AppliedTransaction, Network, Submission } from "../Network.ts"
import { MalformedEnvelope } from "../Network.ts"
import { type HorizonAnswer, type HorizonRequest, resource } from "./HorizonMessage.ts"
import type { Inclusion } from "./Inclusion.ts"
import {
  submissionTimeout,
  transactionFailed,
  transactionMalformed,
  unsupportedMediaType,
} from "./Problems.ts"
import { type Links, linksOf } from "./Render.ts"
import { resultCodes } from "./ResultCodes.ts"
import { transactionResource } from "./TransactionResource.ts"

/** Horizon's SubmissionTimeout: below the 60 seconds after which clients give up. */
export const SUBMISSION_TIMEOUT_MS = 30_000

const requireForm = ({ contentType }: HorizonRequest): void => {
  const mediaType = contentType.split(";")[0]?.trim().toLowerCase() ?? ""
  if (mediaType === "" || mediaType === "application/x-www-form-urlencoded") return
  if (mediaType !== "multipart/form-data") throw unsupportedMediaType()
}

const readEnvelope = (request: HorizonRequest): string => {
  requireForm(request)
  return request.form.get("tx") || request.query.get("tx") || ""
}

const submit = (network: Network, envelopeXdr: string): Submission => {
  try {
    return network.submit(envelopeXdr)
  } catch (error) {
    if (error instanceof MalformedEnvelope) throw transactionMalformed(envelopeXdr)
    throw error
  }
}

/** @throws HorizonProblem 400 transaction_failed where it failed */
export const appliedResource = (links: Links, transaction: AppliedTransaction, hash: string) => {
  if (transaction.successful) return transactionResource(links, transaction, hash)
  throw transactionFailed({
    envelope_xdr: transaction.envelopeXdr,
    hash,
    result_codes: resultCodes(transaction.result),
    result_xdr: transaction.resultXdr,
  })
}

/**
 * `POST /transactions`: submits and answers when a ledger includes it. TRY_AGAIN_LATER counts as accepted,
 * as in Horizon (txsub.System.Submit): its answer is the timeout.
 * @throws HorizonProblem 400 transaction_malformed, 400 transaction_failed, 415, 504 after 30 seconds
 */
export const submitAndWait = async (
  network: Network,
  inclusion: Inclusion,
  timeoutMs: number,
  request: HorizonRequest,
): Promise<HorizonAnswer> => {
  const envelopeXdr = readEnvelope(request)
  const submission = submit(network, envelopeXdr)
  const { hash } = submission
  const links = linksOf(request.baseUrl)
  // An earlier copy may have been applied: its result is the answer, whatever the queue says of this one.
  const earlier = network.transaction(hash)
  if (earlier !== undefined) return resource(appliedResource(links, earlier, hash))
  if (submission.status === "ERROR") {
    throw transactionFailed({
      envelope_xdr: envelopeXdr,
      hash,
      result_codes: resultCodes(submission.result),
      result_xdr: submission.resultXdr,
    })
  }
  const applied = await inclusion.wait(hash, timeoutMs, request.signal)
  if (applied === undefined) throw submissionTimeout(hash, envelopeXdr)
  return resource(appliedResource(links, applied, hash))
}

const asyncStatus: Readonly<Record<Submission["status"], number>> = {
  PENDING: 201,
  DUPLICATE: 409,
  TRY_AGAIN_LATER: 503,
  ERROR: 400,
}

/**
 * `POST /transactions_async`: the queue's answer at once (201 PENDING, 409 DUPLICATE, 503 TRY_AGAIN_LATER,
 * 400 ERROR).
 * @throws HorizonProblem 400 transaction_malformed, 415
 */
export const submitAsync = (network: Network, request: HorizonRequest): HorizonAnswer => {
  const submission = submit(network, readEnvelope(request))
  const body = {
    ...(submission.status === "ERROR" ? { error_result_xdr: submission.resultXdr } : {}),
    tx_status: submission.status,
    hash: submission.hash,
  }
  return resource(body, asyncStatus[submission.status])
}
