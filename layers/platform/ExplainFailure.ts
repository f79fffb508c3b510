/** What a program that could not go on says on stderr: a sentence for what was foreseen, the cause for what was not. */
import { Cause, Predicate } from "effect"

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, " ").trim()

const innermost = (error: unknown): unknown =>
  Predicate.hasProperty(error, "cause") && error.cause !== undefined && error.cause !== error
    ? innermost(error.cause)
    : error

const messageOf = (error: unknown): string =>
  Predicate.hasProperty(error, "message") && typeof error.message === "string" ? error.message : String(error)

/** "SchemaError(Expected a value between 1 and 65535 at ["PORT"])", as Config says it. */
const settingComplaint = /^SchemaError\((Expected .*) at \["(\w+)"\]\)$/

const explainSetting = (message: string): string => {
  const [, complaint = "", name = ""] = settingComplaint.exec(message) ?? []
  if (name === "") return `A setting is wrong: ${message}`
  if (complaint === "Expected string") return `${name} must be set; .env.example says what it means.`
  return `${name} is set wrongly: ${complaint.replace("Expected", "expected")}; .env.example says what it means.`
}

const explainError = (error: unknown): string => {
  // The help, or what was wrong with the arguments, is on the screen already.
  if (Predicate.isTagged(error, "ShowHelp")) return ""
  const message = oneLine(messageOf(error))
  if (Predicate.isTagged(error, "ConfigError")) return explainSetting(message)
  if (Predicate.isTagged(error, "SqlError")) {
    return `The database could not be used: ${oneLine(messageOf(innermost(error)))}; check DATABASE_URL and that the server runs.`
  }
  return message
}

/** One sentence where every failure was a typed one, else the whole cause with its stacks. */
export const explainFailure = <E>(cause: Cause.Cause<E>): string => {
  const failures = cause.reasons.filter(Cause.isFailReason)
  const isForeseen = failures.length > 0 && !cause.reasons.some(Cause.isDieReason)
  return isForeseen ? failures.map((reason) => explainError(reason.error)).join("\n") : Cause.pretty(cause)
}
