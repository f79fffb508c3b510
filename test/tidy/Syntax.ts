/**
 * Source text as syntax trees, by the parser of the pinned `typescript` package itself.
 *
 * TypeScript 7 is a native program; its interface for JavaScript (`typescript/unstable/...`) may change with any
 * version, which is why only test/tidy uses it, and only this file starts it. The sources live in a virtual tree,
 * so that the rules' own tests can parse files that exist nowhere else.
 */
import type { Node, SourceFile } from "typescript/unstable/ast"
import { API } from "typescript/unstable/async"
import { createVirtualFileSystem } from "typescript/unstable/fs"

export interface Parsed {
  /** Relative to the checkout, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly root: SourceFile
}

/** Files by path. */
export type Tree = ReadonlyMap<string, Parsed>

const ROOT = "/tree"

/** Only syntax is wanted: no libraries, no resolution of imports. */
const compilerOptions = {
  noLib: true,
  noResolve: true,
  types: [],
  allowJs: true,
  module: "preserve",
  target: "esnext",
  allowImportingTsExtensions: true,
  noEmit: true,
}

/** Parses the files, given by path and text. A file that does not parse is an error, not a clean file. */
export const parse = async (sources: Readonly<Record<string, string>>): Promise<Tree> => {
  const inTree = Object.fromEntries(Object.entries(sources).map(([path, text]) => [`${ROOT}/${path}`, text]))
  const config = JSON.stringify({ compilerOptions, files: Object.keys(inTree) })
  const fs = createVirtualFileSystem({ ...inTree, [`${ROOT}/tsconfig.json`]: config })
  const api = new API({ fs, cwd: ROOT })
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [`${ROOT}/tsconfig.json`] })
    const program = snapshot.getProjects()[0]?.program
    const parsed = new Map<string, Parsed>()
    for (const [path, text] of Object.entries(sources)) {
      const root = await program?.getSourceFile(`${ROOT}/${path}`)
      const faults = await program?.getSyntacticDiagnostics(`${ROOT}/${path}`)
      if (root === undefined || faults === undefined || faults.length > 0)
        throw new Error(`${path} does not parse`)
      parsed.set(path, { path, text, root })
    }
    return parsed
  } finally {
    await api.close()
  }
}

/** Calls `visit` for the node and everything below it. */
export const walk = (node: Node, visit: (node: Node) => void): void => {
  visit(node)
  node.forEachChild((child) => walk(child, visit))
}

/** All nodes of the file. */
export const nodesOf = (file: Parsed): ReadonlyArray<Node> => {
  const nodes: Array<Node> = []
  walk(file.root, (node) => {
    nodes.push(node)
  })
  return nodes
}

/** 1-based line of a position in the file. */
export const lineAt = (file: Parsed, position: number): number =>
  file.root.getLineAndCharacterOfPosition(position).line + 1

/** 1-based line at which the node's own text starts, comments before it left out. */
export const lineOf = (file: Parsed, node: Node): number => lineAt(file, node.getStart(file.root))

/** A node's text. */
export const textOf = (file: Parsed, node: Node): string => node.getText(file.root)
