/** Logs of a program: one JSON object a line, with the names that the runbooks search by. */
import { Cause, Context, Effect, Layer, Logger, Option, References, Tracer } from "effect"
import * as Settings from "../../src/kernel/Settings.ts"

const LEVELS: Record<string, string> = {
  Info: "info",
  Warn: "warn",
  Error: "error",
  Debug: "debug",
  Fatal: "fatal",
}

const textOf = (message: unknown): string => {
  if (Array.isArray(message)) return message.map(textOf).join(" ")
  if (typeof message === "string") return message
  return message instanceof Error ? message.message : JSON.stringify(message)
}

/** bigint has no JSON of its own; an id or an amount is written as its digits. */
const plain = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? value.toString() : value

const jsonLogger = (program: string) =>
  Logger.make(({ cause, date, fiber, logLevel, message }) => {
    const span = Option.getOrUndefined(Context.getOption(fiber.context, Tracer.ParentSpan))
    const line = {
      timestamp: date.toISOString(),
      level: LEVELS[logLevel] ?? String(logLevel).toLowerCase(),
      program,
      message: textOf(message),
      ...fiber.getRef(References.CurrentLogAnnotations),
      ...(span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }),
      ...(cause.reasons.length === 0 ? {} : { cause: Cause.pretty(cause) }),
    }
    console.log(JSON.stringify(line, plain))
  })

/** The program's logger, in the format that LOG_FORMAT says. */
export const layer = (program: string) =>
  Layer.unwrap(
    Effect.map(Settings.logFormat, (format) =>
      Logger.layer([format === "json" ? jsonLogger(program) : Logger.consolePretty()]),
    ),
  )

/** For `nova all` at a terminal: the message alone, warnings marked. */
export const layerTerminal = Logger.layer([
  Logger.make(({ logLevel, message }) => {
    // Not console.error: Bun prints that in red, and most of this is good news.
    process.stderr.write(logLevel === "Info" ? `  ${textOf(message)}\n` : `  ! ${textOf(message)}\n`)
  }),
])
