/** What all lists have in common: cursors, limit, and the shape of a page. Newest first. */
import { Effect, Schema, SchemaGetter } from "effect"
import type { PageRequest } from "../kernel/Page.ts"
import { failWith } from "./Problems.ts"

const LIMIT_MAX = 100
const LIMIT_DEFAULT = 10

const Limit = Schema.String.annotate({
  description: `Entries on a page, 1-${LIMIT_MAX}; ${LIMIT_DEFAULT} when absent`,
  examples: [String(LIMIT_DEFAULT)],
}).pipe(
  Schema.check(
    Schema.makeFilter((text) =>
      /^[0-9]{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= LIMIT_MAX
        ? undefined
        : `must be a whole number from 1 to ${LIMIT_MAX}`,
    ),
  ),
  Schema.decodeTo(Schema.Number, {
    decode: SchemaGetter.transform(Number),
    encode: SchemaGetter.transform(String),
  }),
)

/**
 * The query of a route that has none. A parameter that this version does not know could be one that changes what
 * the request means, so it is refused and not ignored.
 */
export const NoQuery = Schema.Struct({}).pipe(
  Schema.check(
    Schema.makeFilter((query) =>
      Object.keys(query).map((name) => ({ path: [name], issue: "is not a known field" })),
    ),
  ),
)

/** Query fields of a list whose entries have this id. */
export const pageQuery = <Id extends Schema.Top>(id: Id) => ({
  limit: Schema.optionalKey(Limit),
  starting_after: Schema.optionalKey(id),
  ending_before: Schema.optionalKey(id),
})

/** The answer of a list. */
export const pageSchema = <Entry extends Schema.Top>(entry: Entry) =>
  Schema.Struct({
    data: Schema.Array(entry),
    has_more: Schema.Boolean.annotate({
      description: "Whether there are more in the direction asked for: pass the last id as `starting_after`",
    }),
  })

/** The service's page request; both cursors at once are a problem. */
export const pageRequest = (query: {
  readonly limit?: number
  readonly starting_after?: string
  readonly ending_before?: string
}) => {
  const { limit = LIMIT_DEFAULT, starting_after, ending_before } = query
  if (starting_after !== undefined && ending_before !== undefined) {
    return failWith("request.invalid", {
      errors: [{ param: "ending_before", message: "cannot be combined with starting_after" }],
    })
  }
  return Effect.succeed<PageRequest>({ limit, startingAfter: starting_after, endingBefore: ending_before })
}
