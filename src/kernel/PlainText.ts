/**
 * Text from outside that is stored as it is: no control characters (PostgreSQL refuses U+0000 in `text`, and the
 * rest would forge log lines) and no unpaired surrogates, which have no UTF-8 form.
 */
import { Schema } from "effect"

// U+0000-U+001F, U+007F-U+009F: Unicode's category Cc.
const CONTROL = /\p{Cc}/u

/** Text of `lengthMin` to `lengthMax` UTF-16 units, not only blanks. */
export const plainText = (lengthMin: number, lengthMax: number) =>
  Schema.String.pipe(
    Schema.check(
      Schema.isBetweenLength(lengthMin, lengthMax, {
        message: `must have ${lengthMin} to ${lengthMax} characters`,
      }),
      Schema.makeFilter((text) => {
        if (!text.isWellFormed()) return "must be well-formed Unicode: it has half of a surrogate pair"
        if (CONTROL.test(text)) return "must not contain control characters"
        return text.trim().length === 0 ? "must not be blank" : undefined
      }),
    ),
  )
