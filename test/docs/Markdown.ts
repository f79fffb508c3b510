/** Reading our Markdown files: links, fences, code spans, headings. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Glob } from "bun"

export const checkout = join(import.meta.dir, "..", "..")

export interface Page {
  /** Relative to the checkout. */
  readonly path: string
  readonly text: string
}

/** Every Markdown file that we wrote or generated. */
export const pages = (): ReadonlyArray<Page> =>
  ["*.md", "docs/**/*.md"]
    .flatMap((pattern) => [...new Glob(pattern).scanSync(checkout)])
    .sort()
    .map((path) => ({ path, text: readFileSync(join(checkout, path), "utf8") }))

export interface Fence {
  readonly language: string
  /** 1-based line of the opening fence. */
  readonly line: number
  readonly body: string
}

/** The fenced blocks of a page (CommonMark 4.5; ours are all of three backticks, not indented). */
export const fencesOf = (text: string): ReadonlyArray<Fence> =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(({ 1: language = "", 2: body = "", index }) => ({
    language,
    body,
    line: text.slice(0, index).split("\n").length,
  }))

/** The text without fenced blocks, line numbers kept. */
export const withoutFences = (text: string): string =>
  text.replace(/^```\w*\n[\s\S]*?^```$/gm, (fence) => fence.replace(/[^\n]/g, ""))

export interface Link {
  readonly target: string
  readonly line: number
}

/** Inline links, `[text](target)`; our pages use no other form. */
export const linksOf = (text: string): ReadonlyArray<Link> => {
  const prose = withoutFences(text)
  return [...prose.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(({ 1: target = "", index }) => ({
    target,
    line: prose.slice(0, index).split("\n").length,
  }))
}

/** GitHub's anchor of each heading: lower case, punctuation dropped, blanks to hyphens. */
export const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...withoutFences(text).matchAll(/^#{1,6} (.+)$/gm)].map(({ 1: heading = "" }) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  )

/** The section under a heading of the second level, up to the next one. */
export const sectionOf = (text: string, heading: string): string =>
  text.split(/^## /m).find((section) => section.startsWith(`${heading}\n`)) ?? ""
