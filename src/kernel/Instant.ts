/**
 * A point in time: RFC 3339 text with a zone outside, Date (milliseconds) inside.
 *
 * Years before 1970 and after 9999 are refused: nothing here is that old, and PostgreSQL has no year 0.
 */
import { Schema, SchemaGetter } from "effect"

const RFC_3339 =
  /^(?:19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/i

/** February has no 30th: a date that JavaScript would silently carry over into March is refused. */
const isRealDate = (text: string): boolean => {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number)
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

export const Instant = Schema.String.annotate({
  description: "A point in time, RFC 3339 with a zone",
  examples: ["2026-11-21T09:30:00.000Z"],
  format: "date-time",
}).pipe(
  Schema.check(
    Schema.makeFilter((text) =>
      RFC_3339.test(text) && isRealDate(text) && !Number.isNaN(Date.parse(text))
        ? undefined
        : "must be a time such as 2026-11-21T09:30:00Z",
    ),
  ),
  Schema.decodeTo(Schema.Date, {
    decode: SchemaGetter.transform((text) => new Date(text)),
    encode: SchemaGetter.transform((date: Date) => date.toISOString()),
  }),
)
