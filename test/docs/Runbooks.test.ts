/** The commands of the runbooks exist, with the flags that they are given, and take the arguments that they show. */
import { expect, it } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Settings from "../../src/kernel/Settings.ts"
import { checkout, fencesOf, pages } from "./Markdown.ts"

const runbooks = pages().filter(({ path }) => path.startsWith("docs/runbooks/"))

const helps = new Map<string, string>()

const helpOf = (path: ReadonlyArray<string>): string => {
  const key = path.join(" ")
  const known = helps.get(key)
  if (known !== undefined) return known
  const command = [process.execPath, "--no-env-file", "src/main.ts", ...path, "--help"]
  const help = Bun.spawnSync(command, { cwd: checkout, env: { PATH: process.env.PATH } }).stdout.toString()
  helps.set(key, help)
  return help
}

/** "recover --dry-run" of a line "node bin/nova.mjs recover --dry-run", in words; quoted text is one word. */
const wordsOf = (line: string) => (line.match(/"[^"]*"|\S+/g) ?? []).slice(2)

const commandsIn = (text: string) =>
  fencesOf(text)
    .filter(({ language }) => language === "sh")
    .flatMap(({ body }) => body.split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "")

/** The subcommands that the words name, one below the other. */
const pathOf = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const path: Array<string> = []
  for (const word of words) {
    const subcommands = helpOf(path).split("SUBCOMMANDS")[1] ?? ""
    if (!new RegExp(`^ {2}${word}\\s`, "m").test(subcommands)) break
    path.push(word)
  }
  return path
}

it("every command of a runbook is one of nova's", () => {
  expect(runbooks.map(({ path }) => path)).toEqual([
    "docs/runbooks/channel-quarantined.md",
    "docs/runbooks/paused-issuing.md",
    "docs/runbooks/restored-database.md",
  ])
  const wrong = runbooks.flatMap(({ path, text }) =>
    commandsIn(text).flatMap((line) => {
      if (!line.startsWith("node bin/nova.mjs ")) return [`${path}: ${line}`]
      const words = wordsOf(line)
      const command = pathOf(words)
      const help = helpOf(command)
      const flags = words.filter((word) => word.startsWith("--"))
      const values = words.filter(
        (word, index) => (words[index - 1] ?? "").startsWith("--") && !word.startsWith("--"),
      )
      const given = words.length - command.length - flags.length - values.length
      const taken = /^ {2}nova .*$/m.exec(help)?.[0].match(/<(?!subcommand>)[a-z-]+>/g)?.length ?? 0
      const unknown = flags.filter((flag) => !new RegExp(`^ {2}${flag}\\b`, "m").test(help))
      const isRight = command.length > 0 && unknown.length === 0 && given === taken
      return isRight ? [] : [`${path}: ${line} (${unknown.join(" ")})`]
    }),
  )
  expect(wrong).toEqual([])
}, 60_000)

it("every command that a runbook names in passing is one of nova's too", () => {
  const named = runbooks.flatMap(({ text }) => [...text.matchAll(/`nova ([a-z -]+?)(?: --[a-z-]+)*`/g)])
  expect(named.length).toBeGreaterThan(0)
  for (const [whole, words = ""] of named) {
    const path = words.trim().split(" ")
    expect([whole, pathOf(path)]).toEqual([whole, path])
  }
}, 60_000)

it("every setting that a runbook names exists", () => {
  const known = new Set(Settings.all.map(({ name }) => name))
  const named = runbooks.flatMap(
    ({ text }) => text.match(/\b(?:NOVA|HORIZON|SOROBAN|STELLAR)_[A-Z_]+\b/g) ?? [],
  )
  expect(named.filter((name) => !known.has(name))).toEqual([])
})

it("the log's words that a runbook quotes are the program's", () => {
  const read = (path: string) => readFileSync(join(checkout, path), "utf8")
  expect(read("src/programs/IssuanceWorker.ts")).toContain("is ahead of this database")
  expect(read("src/issuance/IssuanceRefused.ts")).toContain("database_older_than_ledger")
})
