/** Rules about a file as a whole: its length, its name, what it is for. */
import {
  isClassDeclaration,
  isExportDeclaration,
  isFunctionDeclaration,
  isImportDeclaration,
  isInterfaceDeclaration,
  isTypeAliasDeclaration,
  isVariableStatement,
  type Statement,
  SyntaxKind,
} from "typescript/unstable/ast"
import { type Breach, breachAt, type Rule } from "./Breach.ts"
import { type Parsed, textOf } from "./Syntax.ts"

export const FILE_LINES_MAX = 400

const atTop = (file: Parsed, what: string): Breach => ({ path: file.path, line: 1, what })

export const fileLength: Rule = (file) => {
  const lines = file.text.replace(/\n$/, "").split("\n").length
  return lines > FILE_LINES_MAX ? [atTop(file, `${lines} lines, ${FILE_LINES_MAX} at most`)] : []
}

/** Nothing is passed on under another roof: a reader finds a symbol where it is made. */
export const noBarrel: Rule = (file) => {
  const { statements } = file.root
  const passedOn = statements.flatMap((statement) =>
    isExportDeclaration(statement) && statement.moduleSpecifier !== undefined
      ? [breachAt(file, statement, "re-exports from another file")]
      : [],
  )
  const isBarrel =
    passedOn.length === 0 &&
    statements.some(isExportDeclaration) &&
    statements.every((statement) => isImportDeclaration(statement) || isExportDeclaration(statement))
  return isBarrel ? [atTop(file, "only passes on what other files export")] : passedOn
}

const VAGUE = /^(?:index|utils?|utilities|common|helpers?|misc|shared|lib)$/i

const isExported = (statement: Statement): boolean =>
  "modifiers" in statement &&
  Array.isArray(statement.modifiers) &&
  statement.modifiers.some(({ kind }) => kind === SyntaxKind.ExportKeyword)

const namesOf = (file: Parsed, statement: Statement): ReadonlyArray<string> => {
  if (isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => textOf(file, name))
  const isNamed =
    isClassDeclaration(statement) ||
    isFunctionDeclaration(statement) ||
    isInterfaceDeclaration(statement) ||
    isTypeAliasDeclaration(statement)
  return isNamed && statement.name !== undefined ? [textOf(file, statement.name)] : []
}

/** What the file exports by name. */
export const exportsOf = (file: Parsed): ReadonlyArray<string> =>
  file.root.statements.filter(isExported).flatMap((statement) => namesOf(file, statement))

/** main.ts is a program and migrations are ordered by number; every other file is PascalCase. */
const nameFault = (path: string): string | undefined => {
  const parts = path.split("/")
  const file = parts.at(-1) ?? ""
  const name = file.replace(/\.(?:ts|mjs)$/, "")
  const folder = parts.slice(1, -1).find((part) => VAGUE.test(part))
  if (folder !== undefined) return `the folder "${folder}" says nothing about what is in it`
  if (VAGUE.test(name)) return `the name "${name}" says nothing about what is in it`
  if (path === "src/main.ts") return undefined
  if (path.startsWith("migrations/"))
    return /^\d{4}_[a-z0-9_]+$/.test(name) ? undefined : "a migration is named 0001_what_it_does.ts"
  return /^[A-Z][A-Za-z0-9]*$/.test(name)
    ? undefined
    : "files are named in PascalCase, after their main export"
}

/**
 * A file named after one symbol exports it; one that is imported as a namespace (`SignerLocal.layer`, `ApiKey.hashOf`)
 * or that holds several things is named after its subject, which no program can judge. Ports are stricter: each
 * file is one port, and exports its tag under the file's name.
 */
export const fileName: Rule = (file) => {
  const fault = nameFault(file.path)
  if (fault !== undefined) return [atTop(file, fault)]
  const name = file.path.split("/").at(-1)?.replace(/\.ts$/, "") ?? ""
  const names = exportsOf(file)
  const suffixed = names.filter((exported) => /[a-z]Live$/.test(exported))
  const port = file.path.startsWith("src/ports/") && !names.includes(name)
  return [
    ...(port ? [atTop(file, `a port's file exports its tag, ${name}`)] : []),
    ...suffixed.map((exported) => atTop(file, `${exported}: the layer of a service is called layer`)),
  ]
}

const KEY = /^nova\/([a-z-]+)\/([A-Za-z]+)$/

/** "nova/issuance/Issuances" is defined in src/issuance: a key in an error message tells where to look. */
export const serviceKeys: Rule = (file) => {
  const folder = file.path.split("/")[1] ?? ""
  const names = exportsOf(file)
  return [...file.text.matchAll(/["'](nova\/[^"'\n]*)["']/g)].flatMap((match) => {
    const [, key = ""] = match
    const [, keyFolder, keyName = ""] = KEY.exec(key) ?? []
    if (keyFolder === folder && names.includes(keyName)) return []
    const line = file.text.slice(0, match.index).split("\n").length
    return [
      { path: file.path, line, what: `the key "${key}" does not name a service of this folder and file` },
    ]
  })
}
