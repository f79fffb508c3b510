/**
 * How the operator's commands answer: text for people or one JSON object for scripts on stdout, progress and what was
 * done on stderr, and an exit code that cron can act on.
 *
 *   0  done, and nothing asks for attention
 *   1  done, and something asks for attention: the answer says what
 *   2  not done: one sentence on stderr says why
 */
import { Cause, Console, Effect, Runtime, Schema } from "effect"
import { Flag } from "effect/cli"
import { explainFailure } from "../../layers/platform/ExplainFailure.ts"
import { formatAmount } from "../kernel/Amount.ts"

export const NEEDS_ATTENTION = 1
export const NOT_DONE = 2

/** Ends the command with this exit code, after it has said what there is to say. */
export class CommandEnd extends Schema.TaggedError<CommandEnd>()("CommandEnd", {
  /** Printed on stderr; nothing where it is empty. */
  message: Schema.String,
  code: Schema.Number,
}) {
  override get [Runtime.errorExitCode](): number {
    return this.code
  }
}

export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Prints one JSON object, for scripts; amounts in stroops, as text"),
  Flag.withDefault(false),
)

const plain = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? value.toString() : value

/** One JSON object, or the text for people. */
export const answer = (asJson: boolean, value: object, text: string) =>
  Console.log(asJson ? JSON.stringify(value, plain) : text)

/** A line of progress, on stderr: stdout is the answer's. */
export const say = (line: string) => Effect.sync(() => void process.stderr.write(`  ${line}\n`))

/** Whatever kept the command from being done ends it with one sentence and exit code 2. */
export const orNotDone = <A, E, R>(command: Effect.Effect<A, E, R>) =>
  command.pipe(
    Effect.catchCause((cause) => {
      const error: unknown = Cause.squash(cause)
      if (error instanceof CommandEnd) return Effect.fail(error)
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      return Effect.fail(new CommandEnd({ message: explainFailure(cause), code: NOT_DONE }))
    }),
  )

/** Ends with exit code 1 where something asks for attention. */
export const attentionIf = (isNeeded: boolean) =>
  isNeeded ? Effect.fail(new CommandEnd({ message: "", code: NEEDS_ATTENTION })) : Effect.void

/** Columns as wide as their widest cell, two spaces apart. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}

/** An amount of the asset or of XLM, from stroops. */
export const amount = formatAmount
