/**
 * The vectors of AWS's Signature Version 4 test suite (aws-sig-v4-test-suite: post-vanilla, post-header-key-sort,
 * post-x-www-form-urlencoded, post-sts-header-before), which AWS published with its documentation.
 */
import { describe, expect, test } from "bun:test"
import { Option, Redacted } from "effect"
import { signAwsRequest } from "../../layers/signer/kms/SignAwsRequest.ts"

const SESSION_TOKEN =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

const sign = (
  headers: Readonly<Record<string, string>>,
  body: string,
  sessionToken: Option.Option<Redacted.Redacted> = Option.none(),
) =>
  signAwsRequest(
    { host: "example.amazonaws.com", headers, body },
    {
      accessKeyId: Redacted.make("AKIDEXAMPLE"),
      secretAccessKey: Redacted.make("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      sessionToken,
    },
    { region: "us-east-1", service: "service", at: new Date("2015-08-30T12:36:00Z") },
  )

const authorization = (names: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`

describe("AWS's published vectors", () => {
  test("post-vanilla", () => {
    const sent = sign({}, "")
    expect(sent["x-amz-date"]).toBe("20150830T123600Z")
    expect(sent.authorization).toBe(
      authorization("host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    )
  })

  test("post-header-key-sort", () => {
    expect(sign({ "my-header1": "value1" }, "").authorization).toBe(
      authorization(
        "host;my-header1;x-amz-date",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
      ),
    )
  })

  test("post-x-www-form-urlencoded: a body and its type", () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" }
    expect(sign(headers, "Param1=value1").authorization).toBe(
      authorization(
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
      ),
    )
  })

  test("post-sts-header-before: temporary credentials sign their token", () => {
    const sent = sign({}, "", Option.some(Redacted.make(SESSION_TOKEN)))
    expect(sent["x-amz-security-token"]).toBe(SESSION_TOKEN)
    expect(sent.authorization).toBe(
      authorization(
        "host;x-amz-date;x-amz-security-token",
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
      ),
    )
  })
})

test("a header's spaces are folded before it is signed", () => {
  expect(sign({ "my-header1": "  a   b " }, "").authorization).toBe(
    sign({ "my-header1": "a b" }, "").authorization as string,
  )
})
