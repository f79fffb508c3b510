/**
 * AWS Signature Version 4, for what KMS needs of it: a POST to "/" with a body and no query.
 *
 * Every header that is given is signed, with the host and the time, so that none can be changed on the way.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from "node:crypto"
import { Option, Redacted } from "effect"

const ALGORITHM = "AWS4-HMAC-SHA256"

export interface AwsCredentials {
  readonly accessKeyId: Redacted.Redacted
  readonly secretAccessKey: Redacted.Redacted
  /** Of temporary credentials. */
  readonly sessionToken: Option.Option<Redacted.Redacted>
}

export interface AwsRequest {
  /** With the port where it is not the scheme's own. */
  readonly host: string
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface AwsScope {
  readonly region: string
  readonly service: string
  readonly at: Date
}

const hexHash = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex")

const hmac = (key: string | Uint8Array, text: string): Uint8Array =>
  new Uint8Array(createHmac("sha256", key).update(text, "utf8").digest())

/** 20150830T123600Z */
const timestampOf = (at: Date): string => at.toISOString().replace(/[-:]|\.\d{3}/g, "")

const trimmed = (value: string): string => value.trim().replace(/ +/g, " ")

const signingKey = (secret: string, date: string, { region, service }: AwsScope): Uint8Array =>
  [date, region, service, "aws4_request"].reduce<string | Uint8Array>(hmac, `AWS4${secret}`) as Uint8Array

/** The headers to send: the given ones, the time, the session's token, and the authorization over all of them. */
export const signAwsRequest = (
  { body, headers, host }: AwsRequest,
  credentials: AwsCredentials,
  scope: AwsScope,
): Readonly<Record<string, string>> => {
  const timestamp = timestampOf(scope.at)
  const date = timestamp.slice(0, 8)
  const sent: Record<string, string> = { ...headers, "x-amz-date": timestamp }
  if (Option.isSome(credentials.sessionToken))
    sent["x-amz-security-token"] = Redacted.value(credentials.sessionToken.value)
  const signed = Object.entries({ ...sent, host }).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const names = signed.map(([name]) => name).join(";")
  const canonical = [
    "POST",
    "/",
    "",
    ...signed.map(([name, value]) => `${name}:${trimmed(value)}`),
    "",
    names,
    hexHash(body),
  ].join("\n")
  const credentialScope = `${date}/${scope.region}/${scope.service}/aws4_request`
  const toSign = [ALGORITHM, timestamp, credentialScope, hexHash(canonical)].join("\n")
  const key = signingKey(Redacted.value(credentials.secretAccessKey), date, scope)
  const signature = Buffer.from(hmac(key, toSign)).toString("hex")
  const credential = `${Redacted.value(credentials.accessKeyId)}/${credentialScope}`
  return {
    ...sent,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  }
}
