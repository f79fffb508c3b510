/**
 * A server that answers like AWS KMS for one Ed25519 key: GetPublicKey and Sign, JSON 1.1, requests refused unless
 * their SigV4 signature is right. It checks that signature by a reading of AWS's description of its own, so that a
 * mistake of the client's code cannot agree with itself.
 *
 * Sources: https://docs.aws.amazon.com/kms/latest/APIReference/ (operations, errors),
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from "node:crypto"
import type { Keypair } from "@stellar/stellar-sdk"
import { Effect } from "effect"

export const KMS_KEY = {
  alias: "alias/nova-distribution",
  arn: "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
}
export const KMS_REGION = "eu-central-1"
export const KMS_CREDENTIALS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: "session-token-of-the-test",
}

const hmac = (key: Buffer | string, data: string) => createHmac("sha256", key).update(data).digest()
const sha256 = (data: string) => createHash("sha256").update(data).digest("hex")

/** Does the request carry what the holder of the secret would have sent? */
const isSigned = (headers: Headers, body: string): boolean => {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/kms\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/
  const found = pattern.exec(headers.get("authorization") ?? "")
  if (found === null) return false
  const [, keyId, date = "", region = "", names = "", signature] = found
  const must = ["host", "x-amz-date", "x-amz-target", "x-amz-security-token"]
  if (!must.every((name) => names.split(";").includes(name))) return false
  if (headers.get("x-amz-security-token") !== KMS_CREDENTIALS.sessionToken) return false
  const lines = names.split(";").map((name) => `${name}:${headers.get(name) ?? ""}\n`)
  const canonical = `POST\n/\n\n${lines.join("")}\n${names}\n${sha256(body)}`
  const scope = `${date}/${region}/kms/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${headers.get("x-amz-date")}\n${scope}\n${sha256(canonical)}`
  const dateKey = hmac(`AWS4${KMS_CREDENTIALS.secretAccessKey}`, date)
  const key = hmac(hmac(hmac(dateKey, region), "kms"), "aws4_request")
  return (
    keyId === KMS_CREDENTIALS.accessKeyId &&
    region === KMS_REGION &&
    hmac(key, toSign).toString("hex") === signature
  )
}

const answer = (status: number, content: unknown) =>
  new Response(JSON.stringify(content), {
    status,
    headers: { "content-type": "application/x-amz-json-1.1" },
  })

/** What the test may turn. */
export interface Mood {
  /** Type of the error that Sign answers with, and its status. */
  failure: { readonly type: string; readonly status: number } | undefined
  silent: boolean
  keySpec: string
  /** Turns a signature into something else. */
  spoil: ((signature: Uint8Array) => Uint8Array) | undefined
  /** Times that Sign made a signature. */
  signed: number
}

interface Operation {
  readonly KeyId?: string
  readonly Message?: string
  readonly MessageType?: string
  readonly SigningAlgorithm?: string
}

const sign = (keypair: Keypair, mood: Mood, asked: Operation) => {
  if (mood.failure !== undefined)
    // KMS's own words quote the request: they must go nowhere.
    return answer(mood.failure.status, {
      __type: mood.failure.type,
      message: `x-amz-security-token:${KMS_CREDENTIALS.sessionToken}`,
    })
  const isRaw = asked.MessageType === "RAW" && asked.SigningAlgorithm === "ED25519_SHA_512"
  const message = Buffer.from(asked.Message ?? "", "base64")
  if (!isRaw || message.length === 0 || message.length > 4096)
    return answer(400, { __type: "com.amazonaws.kms#ValidationException" })
  mood.signed++
  const signature = keypair.sign(message)
  return answer(200, {
    KeyId: KMS_KEY.arn,
    Signature: Buffer.from(mood.spoil?.(signature) ?? signature).toString("base64"),
    SigningAlgorithm: "ED25519_SHA_512",
  })
}

const publicKey = (keypair: Keypair, mood: Mood) =>
  answer(200, {
    KeyId: KMS_KEY.arn,
    KeySpec: mood.keySpec,
    KeyUsage: "SIGN_VERIFY",
    // RFC 8410, section 10.1: the 12 bytes before an Ed25519 public key.
    PublicKey: Buffer.concat([
      Buffer.from("MCowBQYDK2VwAyEA", "base64"),
      Buffer.from(keypair.rawPublicKey()),
    ]).toString("base64"),
    SigningAlgorithms: ["ED25519_SHA_512"],
  })

/** Runs until the scope ends. */
export const startKms = (keypair: Keypair) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const mood: Mood = {
        failure: undefined,
        silent: false,
        keySpec: "ECC_NIST_EDWARDS25519",
        spoil: undefined,
        signed: 0,
      }
      const server = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch: async (request) => {
          const body = await request.text()
          if (mood.silent) await new Promise<void>(() => undefined)
          if (request.method !== "POST" || !isSigned(request.headers, body))
            return answer(400, { __type: "InvalidSignatureException", message: "not what we calculated" })
          const asked = JSON.parse(body) as Operation
          if (asked.KeyId !== KMS_KEY.arn && asked.KeyId !== KMS_KEY.alias)
            return answer(400, { __type: "NotFoundException" })
          const target = request.headers.get("x-amz-target")
          if (target === "TrentService.Sign") return sign(keypair, mood, asked)
          if (target === "TrentService.GetPublicKey") return publicKey(keypair, mood)
          return answer(400, { __type: "UnknownOperationException" })
        },
      })
      return { mood, server, url: `http://127.0.0.1:${server.port}` }
    }),
    ({ server }) => Effect.promise(() => server.stop(true)),
  )
