/** A reason not to start that a person can act on: one sentence with the way out, printed without a stack. */
import { Schema } from "effect"

export class StartupFailure extends Schema.TaggedError<StartupFailure>()("StartupFailure", {
  message: Schema.String,
}) {}
