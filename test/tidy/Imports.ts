/** The imports of a file: of our own files by their path in the checkout, of packages by their name. */
import { posix } from "node:path"
import {
  type ImportClause,
  isCallExpression,
  isExportDeclaration,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNamedImports,
  isStringLiteral,
  type Node,
  SyntaxKind,
} from "typescript/unstable/ast"
import { nodesOf, type Parsed, textOf } from "./Syntax.ts"

export interface Import {
  readonly node: Node
  /** As written. */
  readonly specifier: string
  /** The path in the checkout of a file of ours; undefined for a package. */
  readonly ours: string | undefined
  /** The names that exist at run time, as the other file calls them; "*" where all of it comes. None: types only. */
  readonly values: ReadonlyArray<string>
}

const valuesOf = (file: Parsed, clause: ImportClause | undefined): ReadonlyArray<string> => {
  if (clause === undefined) return ["*"]
  if (clause.phaseModifier === SyntaxKind.TypeKeyword) return []
  const whole = clause.name === undefined ? [] : ["default"]
  const { namedBindings } = clause
  if (namedBindings === undefined) return whole
  if (!isNamedImports(namedBindings)) return [...whole, "*"]
  const named = namedBindings.elements.filter((element) => !element.isTypeOnly)
  return [...whole, ...named.map((element) => textOf(file, element.propertyName ?? element.name))]
}

const specifierOf = (node: Node | undefined): string | undefined =>
  node !== undefined && isStringLiteral(node) ? node.text : undefined

const found = (file: Parsed, node: Node): Omit<Import, "ours"> | undefined => {
  const make = (specifier: string | undefined, values: ReadonlyArray<string>) =>
    specifier === undefined ? undefined : { node, specifier, values }
  if (isImportDeclaration(node))
    return make(specifierOf(node.moduleSpecifier), valuesOf(file, node.importClause))
  if (isExportDeclaration(node)) return make(specifierOf(node.moduleSpecifier), node.isTypeOnly ? [] : ["*"])
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword)
    return make(specifierOf(node.arguments[0]), ["*"])
  if (isImportTypeNode(node) && isLiteralTypeNode(node.argument))
    return make(specifierOf(node.argument.literal), [])
  return undefined
}

/** Every import, in whatever form: declarations, re-exports, `import("...")` in code and in types. */
export const importsOf = (file: Parsed): ReadonlyArray<Import> =>
  nodesOf(file).flatMap((node) => {
    const one = found(file, node)
    if (one === undefined) return []
    const isRelative = one.specifier.startsWith(".")
    return [{ ...one, ours: isRelative ? posix.join(posix.dirname(file.path), one.specifier) : undefined }]
  })
