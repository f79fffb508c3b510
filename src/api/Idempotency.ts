/**
 * The idempotency key of a request that moves value: in the body, in the `Idempotency-Key` header, or the same in
 * both.
 *
 * Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { Effect, Schema, SchemaGetter } from "effect"
import { failWith } from "./Problems.ts"

const KEY = /^[\x21-\x7e]{1,255}$/u

const description = "A name of your own for this request: 1-255 visible ASCII characters, kept for ever"

export const IdempotencyKey = Schema.String.pipe(
  Schema.check(
    Schema.isPattern(KEY, { message: "must be 1 to 255 visible ASCII characters, without blanks" }),
  ),
).annotate({ description, examples: ["order-1234"] })

/** The draft writes the header as a quoted string (RFC 8941), everybody else without the quotes: both are taken. */
const unquote = (text: string): string => {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1]
  return quoted === undefined ? text : quoted.replace(/\\(["\\])/g, "$1")
}

export const IdempotencyKeyHeader = Schema.String.annotate({ description, examples: ["order-1234"] }).pipe(
  Schema.decodeTo(IdempotencyKey, {
    decode: SchemaGetter.transform(unquote),
    encode: SchemaGetter.transform((text: string) => text),
  }),
)

/** The key of the request, from whichever place has it. */
export const idempotencyKeyOf = (inBody: string | undefined, inHeader: string | undefined) => {
  if (inBody !== undefined && inHeader !== undefined && inBody !== inHeader)
    return failWith("idempotency.keys_differ", {
      errors: [{ param: "idempotencyKey", message: "differs from the Idempotency-Key header" }],
    })
  const key = inBody ?? inHeader
  return key === undefined
    ? failWith("idempotency.key_missing", {
        errors: [{ param: "idempotencyKey", message: "is required, here or in the Idempotency-Key header" }],
      })
    : Effect.succeed(key)
}
