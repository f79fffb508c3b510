/** Things that have no place in the code, each with the reason. */
import {
  isCallExpression,
  isIdentifier,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isPropertyAccessExpression,
  isStringLiteral,
  isTemplateHead,
  isTemplateMiddle,
  isTemplateTail,
  isVariableDeclaration,
  type Node,
  SyntaxKind,
} from "typescript/unstable/ast"
import { type Breach, breachAt, type Rule } from "./Breach.ts"
import { importsOf } from "./Imports.ts"
import { nodesOf, type Parsed, textOf } from "./Syntax.ts"

const breachesWhere =
  (what: (file: Parsed, node: Node) => string | undefined): Rule =>
  (file) =>
    nodesOf(file).flatMap((node): ReadonlyArray<Breach> => {
      const text = what(file, node)
      return text === undefined ? [] : [breachAt(file, node, text)]
    })

/** Settings come by Config, which names, checks and documents them: not from the environment by hand. */
export const noEnvironment: Rule = (file) => {
  const what = "reads the environment: settings come from Config (src/kernel/Settings.ts)"
  const used = nodesOf(file).filter((node) =>
    isPropertyAccessExpression(node)
      ? /^(?:process|Bun|import\.meta)\.env$/.test(textOf(file, node))
      : isVariableDeclaration(node) &&
        node.initializer !== undefined &&
        /^(?:process|Bun)$/.test(textOf(file, node.initializer)),
  )
  const imported = importsOf(file).filter(
    ({ specifier, values }) => /^(?:node:)?process$/.test(specifier) && values.includes("env"),
  )
  return [...used, ...imported.map(({ node }) => node)].map((node) => breachAt(file, node, what))
}

const CLOCKS = ["Date.now", "performance.now", "Math.random", "crypto.randomUUID"]
const TIMERS = ["setTimeout", "setInterval", "setImmediate"]

/** Time and chance come from Effect's services, so that tests and simulations can turn them. */
export const noAmbientTime: Rule = breachesWhere((file, node) => {
  if (isPropertyAccessExpression(node) && CLOCKS.includes(textOf(file, node)))
    return `${textOf(file, node)}: take Clock, Random or SecureRandom from Effect`
  if (
    isNewExpression(node) &&
    textOf(file, node.expression) === "Date" &&
    (node.arguments ?? []).length === 0
  )
    return "new Date() reads the clock: take Clock from Effect"
  if (!isCallExpression(node)) return undefined
  const called = textOf(file, node.expression).replace(/^globalThis\./, "")
  if (called === "Date") return "Date() reads the clock: take Clock from Effect"
  return TIMERS.includes(called) ? `${called}: take Effect.sleep or Schedule` : undefined
})

const isText = (node: Node) =>
  isStringLiteral(node) ||
  isNoSubstitutionTemplateLiteral(node) ||
  isTemplateHead(node) ||
  isTemplateMiddle(node) ||
  isTemplateTail(node)

const SQL_CLOCK =
  /\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|\b(?:current_timestamp|current_date|current_time|localtimestamp|localtime)\b/i

/** Time is a parameter of every statement, so that leases and histories follow the program's clock. */
export const noSqlClock: Rule = breachesWhere((file, node) =>
  isText(node) && SQL_CLOCK.test(textOf(file, node))
    ? "a statement reads PostgreSQL's clock: pass the time as a parameter"
    : undefined,
)

/** The type checker is not talked out of anything. */
export const noEscape: Rule = breachesWhere((_, node) => {
  if (node.kind === SyntaxKind.AnyKeyword) return "any"
  if (node.kind === SyntaxKind.NonNullExpression) return "non-null assertion"
  if (isVariableDeclaration(node) && node.exclamationToken !== undefined)
    return "definite assignment assertion"
  return undefined
})

const DIRECTIVE = /@ts-(?:ignore|nocheck|expect-error)\b/
const UNDONE = /\b(?:TODO|FIXME|XXX|HACK)\b/

const linesWith =
  (pattern: RegExp, what: string): Rule =>
  (file) =>
    file.text
      .split("\n")
      .flatMap((text, index) => (pattern.test(text) ? [{ path: file.path, line: index + 1, what }] : []))

export const noDirective: Rule = linesWith(DIRECTIVE, "a directive silences the type checker")

/** What is missing is said in README.md or filed; code does not promise. */
export const nothingUndone: Rule = linesWith(UNDONE, "something is left undone here")

/** A test that never runs, or keeps the others from running. `skipIf` with a printed reason is another thing. */
export const noSkip: Rule = breachesWhere((file, node) => {
  if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return undefined
  const { expression, name } = node.expression
  const isTest = isIdentifier(expression) && /^(?:it|test|describe|effect|live)$/.test(expression.text)
  return isTest && /^(?:skip|only|todo)$/.test(textOf(file, name))
    ? `${textOf(file, node.expression)}(...)`
    : undefined
})
