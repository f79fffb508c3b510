/**
 * Who may import whom. The rim (`layers`) knows the inside's ports and kernel; the inside knows nothing of the rim.
 *
 *   src/<domain>  kernel, ports, itself; of other domains their service tags, errors and types. Only *Http.ts: api
 *   src/operate   as a domain; of other domains also what runs, but no *Http.ts: it reads and mends their books
 *   src/api       kernel, and models of domains: nothing that runs
 *   src/programs  kernel, ports, api, domains
 *   src/main.ts   everything of ours but the embedded network's inside and migrations; src/cli, its commands, likewise
 *   layers        kernel, ports, other layers; layers/db also migrations; *Localnet.ts also layers/localnet
 *   wiring        all that layers may, and domains: Live.ts, Embedded.ts, Test.ts, layers/embedded
 *   localnet      nothing of ours, and of packages only the SDK: it must not share the product's misunderstandings
 */
import { isClassDeclaration, isVariableStatement, type Node } from "typescript/unstable/ast"
import { breachAt, type Rule } from "./Breach.ts"
import { type Import, importsOf } from "./Imports.ts"
import { type Parsed, type Tree, textOf } from "./Syntax.ts"

export type Area =
  | "kernel"
  | "ports"
  | "api"
  | "programs"
  | "main"
  | "operate"
  | "domain"
  | "localnet"
  | "wiring"
  | "layers"
  | "migrations"
  | "elsewhere"

const WIRING = /^layers\/(?:(?:Live|Embedded|Test)\.ts$|embedded\/)/

/** Where a file belongs. */
export const areaOf = (path: string): Area => {
  const [top, folder = ""] = path.split("/")
  if (path === "src/main.ts" || path.startsWith("src/cli/")) return "main"
  if (top === "src") {
    if (folder === "kernel" || folder === "ports" || folder === "api" || folder === "programs") return folder
    if (folder === "operate") return folder
    return "domain"
  }
  if (top === "migrations") return "migrations"
  if (top !== "layers") return "elsewhere"
  if (WIRING.test(path)) return "wiring"
  return folder === "localnet" ? "localnet" : "layers"
}

const ALLOWED: Record<Area, ReadonlyArray<Area>> = {
  kernel: ["kernel"],
  ports: ["kernel"],
  api: ["kernel", "api", "domain"],
  domain: ["kernel", "ports", "domain"],
  operate: ["kernel", "ports", "domain", "operate"],
  programs: ["kernel", "ports", "api", "domain", "programs"],
  main: ["kernel", "ports", "api", "domain", "operate", "programs", "layers", "wiring", "main"],
  layers: ["kernel", "ports", "layers"],
  wiring: ["kernel", "ports", "domain", "operate", "layers", "wiring", "localnet"],
  localnet: ["localnet"],
  migrations: [],
  elsewhere: [],
}

const isHandlers = (path: string) => path.endsWith("Http.ts")

const allowedFor = (file: Parsed): ReadonlyArray<Area> => {
  const area = areaOf(file.path)
  if (area === "domain" && isHandlers(file.path)) return [...ALLOWED.domain, "api"]
  if (area === "layers" && file.path.startsWith("layers/db/")) return [...ALLOWED.layers, "migrations"]
  if (area === "layers" && file.path.endsWith("Localnet.ts")) return [...ALLOWED.layers, "localnet"]
  return ALLOWED[area]
}

const folderOf = (path: string) => path.split("/").slice(0, 2).join("/")

const TAG = /\bContext\s*\.\s*(?:Service|Reference)\b/
const ERROR = /\bSchema\s*\.\s*TaggedError\b/

/** The classes and constants of a file that are service tags or typed errors. */
const tagsOf = (file: Parsed | undefined): ReadonlySet<string> => {
  const names: Array<string> = []
  const add = (name: Node | undefined, head: string) => {
    if (file !== undefined && name !== undefined && (TAG.test(head) || ERROR.test(head)))
      names.push(textOf(file, name))
  }
  for (const statement of file?.root.statements ?? []) {
    if (file === undefined) break
    if (isClassDeclaration(statement))
      add(statement.name, (statement.heritageClauses ?? []).map((clause) => textOf(file, clause)).join(" "))
    if (isVariableStatement(statement)) {
      for (const { initializer, name } of statement.declarationList.declarations)
        add(name, initializer === undefined ? "" : textOf(file, initializer))
    }
  }
  return new Set(names)
}

/** What a domain may not take from another one: anything that runs and is no service tag. */
const takesInnards = (file: Parsed, one: Import, ours: string, tree: Tree): boolean => {
  if (areaOf(file.path) !== "domain" || areaOf(ours) !== "domain") return false
  if (folderOf(file.path) === folderOf(ours)) return false
  const tags = tagsOf(tree.get(ours))
  return isHandlers(ours) || one.values.some((name) => !tags.has(name))
}

/** What the contract may not take from a domain: anything that needs an environment to run. */
const takesService = (file: Parsed, one: Import, ours: string, tree: Tree): boolean => {
  if (areaOf(file.path) !== "api" || areaOf(ours) !== "domain") return false
  const tags = tagsOf(tree.get(ours))
  return isHandlers(ours) || one.values.some((name) => name === "*" || tags.has(name))
}

const LOCALNET_PACKAGES = /^(?:node:|bun:|@stellar\/stellar-sdk$)/

/** Packages that are spoken to in one place only, so that a change of package is a change of one file. */
const HOMES: Readonly<Record<string, RegExp>> = {
  "@effect/platform-node": /^layers\/platform\/Platform\.ts$/,
  "@effect/sql-pg": /^layers\/db\//,
}

const packageFault = (file: Parsed, specifier: string): string | undefined => {
  if (areaOf(file.path) === "localnet" && !LOCALNET_PACKAGES.test(specifier))
    return `the embedded network uses the SDK and the runtime only, not ${specifier}`
  if (areaOf(file.path) === "programs" && specifier === "effect/sql") return "programs hold no SQL"
  const home = HOMES[specifier]
  return home === undefined || home.test(file.path)
    ? undefined
    : `${specifier} has its one place in ${home.source}`
}

export const importRule: Rule = (file, tree) => {
  const allowed = allowedFor(file)
  return importsOf(file).flatMap((one) => {
    const fault = (what: string) => [breachAt(file, one.node, what)]
    if (one.ours === undefined) {
      const what = packageFault(file, one.specifier)
      return what === undefined ? [] : fault(what)
    }
    const area = areaOf(one.ours)
    if (!allowed.includes(area)) return fault(`${areaOf(file.path)} may not import ${area} (${one.ours})`)
    if (area === "domain" && areaOf(file.path) === "operate" && isHandlers(one.ours))
      return fault(`operate may not import handlers (${one.ours})`)
    if (takesInnards(file, one, one.ours, tree))
      return fault(`a domain takes of another one its service tags, errors and types only (${one.ours})`)
    if (takesService(file, one, one.ours, tree))
      return fault(`api takes models of a domain, not what runs (${one.ours})`)
    return []
  })
}

/** The launcher runs before any package is there: Node's own modules and its own files are all it has. */
export const launcherAlone: Rule = (file) =>
  importsOf(file).flatMap(({ node, ours, specifier }) =>
    (ours === undefined ? specifier.startsWith("node:") : ours.startsWith("bin/"))
      ? []
      : [breachAt(file, node, `the launcher cannot import ${specifier}`)],
  )
