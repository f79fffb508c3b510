/**
 * What KMS's refusals mean for us: worth another try, or a setting to mend. KMS's own words are never passed on: that
 * of a wrong signature, for one, quotes the request with its session token.
 *
 * Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html#API_Sign_Errors and its CommonErrors.html
 */
import { SignerError } from "../../../src/ports/Signer.ts"

interface Meaning {
  readonly reason: "throttled" | "unavailable" | "denied"
  readonly message: string
}

const busy: Meaning = { reason: "throttled", message: "KMS signs no more now: its request quota is used up" }
const away: Meaning = { reason: "unavailable", message: "KMS failed and says that it may work later" }

const denied = (message: string): Meaning => ({ reason: "denied", message })

const notUsable = denied(
  "The key of AWS_KMS_KEY_ID is disabled or is to be deleted: enable it, or name another one.",
)
const notForUs = denied(
  "The key of AWS_KMS_KEY_ID cannot sign for Stellar: make one of key spec ECC_NIST_EDWARDS25519 for SIGN_VERIFY.",
)
const notKnown = denied(
  "AWS does not accept the credentials: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and this machine's clock.",
)

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ThrottlingException: busy,
  Throttling: busy,
  LimitExceededException: busy,
  KMSInternalException: away,
  InternalFailure: away,
  ServiceUnavailable: away,
  DependencyTimeoutException: away,
  KeyUnavailableException: away,
  AccessDeniedException: denied(
    "AWS_ACCESS_KEY_ID may not use the key of AWS_KMS_KEY_ID: allow it kms:Sign and kms:GetPublicKey.",
  ),
  DisabledException: notUsable,
  KMSInvalidStateException: notUsable,
  NotFoundException: denied("AWS_KMS_KEY_ID names no key in AWS_REGION."),
  InvalidArnException: denied("AWS_KMS_KEY_ID is not a key's id, ARN or alias."),
  InvalidKeyUsageException: notForUs,
  UnsupportedOperationException: notForUs,
  ValidationException: notForUs,
  UnrecognizedClientException: notKnown,
  InvalidClientTokenId: notKnown,
  InvalidSignatureException: notKnown,
  SignatureDoesNotMatch: notKnown,
  IncompleteSignature: notKnown,
  MissingAuthenticationToken: notKnown,
  RequestExpired: notKnown,
  ExpiredTokenException: denied("AWS_SESSION_TOKEN has expired: give fresh credentials and start again."),
}

/**
 * @param status HTTP status, not 200
 * @param type the answer's `__type`, such as com.amazonaws.kms#DisabledException; empty when there was none
 */
export const kmsError = (status: number, type: string): SignerError => {
  const name = /(?:^|#)([A-Za-z]{1,60})$/.exec(type)?.[1] ?? ""
  const meaning = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined
  if (meaning !== undefined) return new SignerError({ ...meaning, message: `${meaning.message} (${name})` })
  if (status === 429) return new SignerError({ ...busy })
  if (status >= 500) return new SignerError({ ...away, message: `${away.message} (${status})` })
  return new SignerError({
    reason: "denied",
    message: `KMS refused the request (${status} ${name}): check AWS_KMS_KEY_ID, AWS_REGION and AWS_KMS_ENDPOINT.`,
  })
}
