/**
 * The options of a script. `--help` shows the script's own header; what is wrong with an option is one sentence, and
 * the exit code is 2.
 */
import { readFileSync } from "node:fs"
import { type ParseArgsConfig, parseArgs } from "node:util"

type Options = NonNullable<ParseArgsConfig["options"]>

const HELP = { type: "boolean", short: "h", default: false } as const

/** The text of the comment that a script begins with. */
export const headerOf = (source: string): string =>
  source
    .slice(source.indexOf("/**") + 3, source.indexOf("*/"))
    .split("\n")
    .map((line) => line.replace(/^ \*? ?/, "").trimEnd())
    .join("\n")
    .trim()

/** Ends the process where somebody asked for something that cannot be done. */
export const refuseArguments = (message: string): never => {
  console.error(message)
  process.exit(2)
}

const isCount = (text: string): boolean => /^[1-9]\d{0,9}$/.test(text)

const wordsOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split(". ")[0] ?? error.message) : String(error)

const parsed = <const Given extends Options>(options: Given) => {
  try {
    return parseArgs({ options: { ...options, help: HELP } })
  } catch (error) {
    return refuseArguments(`${wordsOf(error)}: --help lists the options.`)
  }
}

/**
 * @param script the script's own path, `import.meta.path`
 * @param counts names of options that are whole numbers from 1, where they are given
 */
export const readOptions = <const Given extends Options>(
  script: string,
  options: Given,
  counts: ReadonlyArray<keyof Given & string>,
) => {
  const { values } = parsed(options)
  const texts: Readonly<Record<string, unknown>> = values
  if (texts.help === true) {
    console.log(headerOf(readFileSync(script, "utf8")))
    process.exit(0)
  }
  for (const name of counts) {
    const text = texts[name]
    if (typeof text === "string" && !isCount(text)) {
      refuseArguments(`--${name} is a whole number from 1, not "${text}".`)
    }
  }
  return values
}
