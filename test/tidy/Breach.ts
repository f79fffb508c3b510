/** Places in the tree that break a rule. */
import type { Node } from "typescript/unstable/ast"
import { lineOf, type Parsed, type Tree } from "./Syntax.ts"

export interface Breach {
  readonly path: string
  readonly line: number
  readonly what: string
}

/** A rule answers with everything in one file that breaks it; the tree holds the file's neighbours. */
export type Rule = (file: Parsed, tree: Tree) => ReadonlyArray<Breach>

export const breachAt = (file: Parsed, node: Node, what: string): Breach => ({
  path: file.path,
  line: lineOf(file, node),
  what,
})

/** "src/api/Rewards.ts:12 what is wrong": terminals make it a link. */
const format = ({ path, line, what }: Breach): string => `${path}:${line} ${what}`

/** What breaks the rule in the files that it is meant for. */
export const breachesOf = (rule: Rule, tree: Tree, applies: (path: string) => boolean = () => true) =>
  [...tree.values()]
    .filter((file) => applies(file.path))
    .flatMap((file) => rule(file, tree))
    .map(format)
