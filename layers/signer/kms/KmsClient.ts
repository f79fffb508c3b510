/**
 * The two calls of AWS KMS that a Stellar key needs: its public half, and a signature. JSON 1.1 by POST, signed by
 * SigV4.
 *
 * Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html and API_Sign.html: keys of spec
 * ECC_NIST_EDWARDS25519 sign by ED25519_SHA_512 (Ed25519 of RFC 8032, no prehash) and want MessageType RAW. The
 * public key is a SubjectPublicKeyInfo in DER (RFC 8410).
 */
import { Clock, Effect, Schema } from "effect"
import {
  FetchHttpClient,
  HttpBody,
  HttpClient,
  HttpClientRequest,
  type HttpClientResponse,
} from "effect/http"
import { SignerError } from "../../../src/ports/Signer.ts"
import { kmsError } from "./KmsErrors.ts"
import { type AwsCredentials, signAwsRequest } from "./SignAwsRequest.ts"

const CONTENT_TYPE = "application/x-amz-json-1.1"
const KEY_SPEC = "ECC_NIST_EDWARDS25519"
const ALGORITHM = "ED25519_SHA_512"

/** RFC 8410, section 4: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex")

export interface KmsSettings {
  /** Without a path: http(s)://host[:port] */
  readonly endpoint: string
  readonly region: string
  readonly credentials: AwsCredentials
  readonly timeoutMs: number
}

export interface KmsClient {
  /** The key's ARN, which an alias cannot be moved away from, and its public half (32 bytes). */
  readonly publicKey: (
    keyId: string,
  ) => Effect.Effect<{ readonly keyArn: string; readonly publicKey: Uint8Array }, SignerError>
  /** Ed25519 signature (64 bytes) over the message (up to 4096 bytes). */
  readonly sign: (keyArn: string, message: Uint8Array) => Effect.Effect<Uint8Array, SignerError>
}

const ErrorAnswer = Schema.Struct({ __type: Schema.String })
const PublicKeyAnswer = Schema.Struct({
  KeyId: Schema.NonEmptyString,
  PublicKey: Schema.String,
  KeySpec: Schema.String,
  KeyUsage: Schema.String,
})
const SignAnswer = Schema.Struct({ Signature: Schema.String })

const unreadable = () =>
  new SignerError({ reason: "unavailable", message: "KMS's answer is not what its API describes" })

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"))

const readAnswer = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse) {
  if (response.status === 200) return yield* Effect.mapError(response.json, unreadable)
  const type = yield* response.json.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(ErrorAnswer)),
    Effect.map((answer) => answer.__type),
    Effect.orElseSucceed(() => ""),
  )
  return yield* kmsError(response.status, type)
})

/** The client over HttpClient. Its requests are not traced: a span would show the session's token. */
export const makeKmsClient = Effect.fnUntraced(function* (settings: KmsSettings) {
  const client = yield* HttpClient.HttpClient
  const { host } = new URL(settings.endpoint)

  const post = Effect.fnUntraced(function* (target: string, content: Readonly<Record<string, string>>) {
    const body = JSON.stringify(content)
    const headers = signAwsRequest(
      { host, headers: { "content-type": CONTENT_TYPE, "x-amz-target": `TrentService.${target}` }, body },
      settings.credentials,
      { region: settings.region, service: "kms", at: new Date(yield* Clock.currentTimeMillis) },
    )
    return yield* HttpClientRequest.post(`${settings.endpoint}/`).pipe(
      HttpClientRequest.setBody(HttpBody.text(body, CONTENT_TYPE)),
      HttpClientRequest.setHeaders(headers),
      client.execute,
      Effect.mapError(() => new SignerError({ reason: "unavailable", message: `KMS is not there: ${host}` })),
      Effect.flatMap(readAnswer),
      Effect.timeoutOrElse({
        duration: settings.timeoutMs,
        orElse: () =>
          Effect.fail(
            new SignerError({
              reason: "timed_out",
              message: `KMS gave no answer in ${settings.timeoutMs} ms (${host})`,
            }),
          ),
      }),
      Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
      // A signed request is for the host that it was signed for.
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
    )
  })

  const call = <A>(target: string, content: Readonly<Record<string, string>>, answer: Schema.Decoder<A>) =>
    post(target, content).pipe(
      Effect.flatMap((json) => Effect.mapError(Schema.decodeUnknownEffect(answer)(json), unreadable)),
    )

  const publicKey = Effect.fn("Kms.publicKey")(function* (keyId: string) {
    const answer = yield* call("GetPublicKey", { KeyId: keyId }, PublicKeyAnswer)
    const der = Buffer.from(answer.PublicKey, "base64")
    const isOurs =
      answer.KeySpec === KEY_SPEC &&
      answer.KeyUsage === "SIGN_VERIFY" &&
      der.length === SPKI_PREFIX.length + 32 &&
      der.subarray(0, SPKI_PREFIX.length).equals(SPKI_PREFIX)
    if (!isOurs) return yield* kmsError(400, "InvalidKeyUsageException")
    return { keyArn: answer.KeyId, publicKey: new Uint8Array(der.subarray(SPKI_PREFIX.length)) }
  })

  const sign = Effect.fn("Kms.sign")(function* (keyArn: string, message: Uint8Array) {
    const answer = yield* call(
      "Sign",
      {
        KeyId: keyArn,
        Message: Buffer.from(message).toString("base64"),
        MessageType: "RAW",
        SigningAlgorithm: ALGORITHM,
      },
      SignAnswer,
    )
    return bytesOf(answer.Signature)
  })

  return { publicKey, sign } satisfies KmsClient
})
