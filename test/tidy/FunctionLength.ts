/**
 * Functions fit a screen: at most 70 lines.
 *
 * A function's lines are those from its first to its last, without the lines of functions that are *defined* in its
 * body: a statement `const f = () => ...`, `function f`, or `const f = Effect.fn(...)(function* ...)`, since each of
 * these is measured by itself. So the generator that makes a service's methods is measured without them. A callback
 * that runs where it stands (`map(() => ...)`, `yield* Effect.gen(...)`) counts fully, for its reader must follow it
 * in place; it is measured by itself too.
 */
import {
  type Expression,
  type FunctionLikeDeclaration,
  isArrowFunction,
  isBlock,
  isCallExpression,
  isFunctionDeclaration,
  isFunctionExpression,
  isFunctionLikeDeclaration,
  isIdentifier,
  isPropertyAccessExpression,
  isVariableStatement,
  type Statement,
} from "typescript/unstable/ast"
import { breachAt, type Rule } from "./Breach.ts"
import { lineAt, lineOf, nodesOf, type Parsed } from "./Syntax.ts"

export const FUNCTION_LINES_MAX = 70

/** `Effect` of `Effect.fn("name")(body)` and of `Effect.gen(body).pipe(...)`: the name on the far left of a call. */
const leftmost = (node: Expression): string | undefined => {
  if (isIdentifier(node)) return node.text
  if (isCallExpression(node) || isPropertyAccessExpression(node)) return leftmost(node.expression)
  return undefined
}

/** A function, or an effect that is described here and runs elsewhere. */
const isDefinition = (value: Expression): boolean =>
  isArrowFunction(value) ||
  isFunctionExpression(value) ||
  (isCallExpression(value) && leftmost(value) === "Effect")

const definesFunctions = (statement: Statement): boolean =>
  isFunctionDeclaration(statement) ||
  (isVariableStatement(statement) &&
    statement.declarationList.declarations.every(
      ({ initializer }) => initializer !== undefined && isDefinition(initializer),
    ))

const span = (file: Parsed, node: Statement | FunctionLikeDeclaration): number =>
  lineAt(file, node.end) - lineOf(file, node) + 1

/** Lines that belong to the function itself. */
export const linesOf = (file: Parsed, node: FunctionLikeDeclaration): number => {
  const { body } = node
  const defined = body !== undefined && isBlock(body) ? body.statements.filter(definesFunctions) : []
  return span(file, node) - defined.reduce((sum, statement) => sum + span(file, statement), 0)
}

export const functionLength: Rule = (file) =>
  nodesOf(file)
    .filter(isFunctionLikeDeclaration)
    .flatMap((node) => {
      const lines = linesOf(file, node)
      return lines > FUNCTION_LINES_MAX
        ? [breachAt(file, node, `this function has ${lines} lines, ${FUNCTION_LINES_MAX} at most`)]
        : []
    })
