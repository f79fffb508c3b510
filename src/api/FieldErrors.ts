/** Schema issues as `errors` of a problem: which field, and what it must be. Never quotes the value sent. */
import { SchemaIssue } from "effect"
import type { HttpApiError } from "effect/http-api"
import type { FieldError } from "./Problems.ts"

const NAMES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
}

const leafMessage: SchemaIssue.LeafHook = (issue) => {
  if (issue._tag === "MissingKey") return "is required"
  if (issue._tag === "UnexpectedKey") return "is not a known field"
  return SchemaIssue.defaultLeafHook(issue)
}

const format = SchemaIssue.makeFormatterStandardSchemaV1({ leafHook: leafMessage })

/** "Expected string" as the end of a sentence that starts with the field. */
const asPredicate = (message: string, isWhole: boolean): string => {
  const expected = /^Expected (.+)$/s.exec(message)?.[1]
  if (expected === undefined) return message
  return isWhole ? "must be a JSON object" : `must be ${NAMES[expected] ?? expected}`
}

const segmentOf = (segment: PropertyKey | { readonly key: PropertyKey }): string =>
  String(typeof segment === "object" ? segment.key : segment)

const WHOLE: Readonly<Record<string, string>> = { Payload: "body", Query: "query", Params: "path" }

// A body may have thousands of unknown fields; the answer stays small.
const ERRORS_MAX = 20
const NAME_LENGTH_MAX = 64

/** `items`, 3, `amount` as one text: items[3].amount */
const pathText = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>): string =>
  path.map(segmentOf).reduce((text, segment) => {
    if (/^[0-9]+$/.test(segment)) return `${text}[${segment}]`
    return text === "" ? segment : `${text}.${segment}`
  }, "")

/**
 * At most twenty entries, in the order of the schema's fields. `whole` names what has no path; `prefix` is put before
 * the others.
 */
export const issueErrors = (
  issue: SchemaIssue.Issue,
  whole: string,
  prefix = "",
): ReadonlyArray<typeof FieldError.Type> =>
  format(issue)
    .issues.slice(0, ERRORS_MAX)
    .map(({ path = [], message }) => {
      const param = pathText(path).slice(0, NAME_LENGTH_MAX)
      return {
        param: param === "" ? whole : `${prefix}${param}`,
        message: asPredicate(message, path.length === 0),
      }
    })

export const fieldErrors = (error: HttpApiError.HttpApiSchemaError): ReadonlyArray<typeof FieldError.Type> =>
  issueErrors(error.cause.issue, WHOLE[error.kind] ?? "body")
